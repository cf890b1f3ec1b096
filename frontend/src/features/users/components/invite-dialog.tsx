import { Modal, Text } from "@mantine/core";
import { useState } from "react";
import { InviteForm } from "@/features/users/components/invite-form";
import { InviteResults } from "@/features/users/components/invite-results";
import type { InviteUsersMutation } from "@/gql/graphql";

export type InviteResult = InviteUsersMutation["inviteUsers"]["results"][number];

interface Props {
  onClose: () => void;
}

/** First the addresses, then what came of each. */
export default function InviteDialog({ onClose }: Props) {
  const [results, setResults] = useState<InviteResult[] | null>(null);
  const [again, setAgain] = useState("");
  const holdsLinks = results?.some(({ inviteUrl }) => inviteUrl !== null) ?? false;
  return (
    <Modal
      opened
      onClose={onClose}
      title={<Text fw={600}>{results ? "Invitations" : "Invite users"}</Text>}
      size="lg"
      // Links are shown once: a stray click beside the dialog must not lose them.
      closeOnClickOutside={!holdsLinks}
      closeOnEscape={!holdsLinks}
    >
      {results ? (
        <InviteResults
          results={results}
          onDone={onClose}
          onRetry={(addresses) => {
            setAgain(addresses.join("\n"));
            setResults(null);
          }}
        />
      ) : (
        <InviteForm initial={again} onInvited={setResults} onCancel={onClose} />
      )}
    </Modal>
  );
}
