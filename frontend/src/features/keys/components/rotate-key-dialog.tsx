import { Text } from "@mantine/core";
import { RotateForm } from "@/components/rotate-form";
import { SecretDialog } from "@/components/secret-dialog";
import { SecretOnce } from "@/components/secret-once";
import { When } from "@/components/when";
import { type RotatedKey, useRotateKey } from "@/features/keys/mutations";

interface Props {
  apiKey: { id: string; name: string; prefix: string };
  opened: boolean;
  onClose: () => void;
}

const overlaps = [
  { value: "0", label: "Not at all: it ends at once" },
  { value: "1", label: "One hour" },
  { value: "24", label: "One day" },
  { value: "168", label: "One week" },
  { value: "720", label: "30 days" },
];

/** Another secret for the same key: name, limits and history stay. */
export default function RotateKeyDialog({ apiKey, opened, onClose }: Props) {
  return (
    <SecretDialog<RotatedKey>
      {...{ opened, onClose }}
      title={`New secret for ${apiKey.name || `${apiKey.prefix}…`}`}
      readyTitle="The new secret is ready"
      readySize="lg"
      form={(onMade) => <Rotation id={apiKey.id} onCancel={onClose} onMade={onMade} />}
    >
      {({ secret, apiKey: { previousPrefix, previousExpiresAt, prefix } }) => (
        <>
          <SecretOnce secret={secret} what="key">
            Copy it now and put it where the old one is. It is stored as a hash alone, so nobody can
            show it again.
          </SecretOnce>
          <Text size="sm">
            {previousPrefix ? (
              <>
                Both work until then: the old secret,{" "}
                <span className="mono">{previousPrefix}…</span>, ends{" "}
                <When at={previousExpiresAt} />; the new one,{" "}
                <span className="mono">{prefix}…</span>, stays.
              </>
            ) : (
              "The old secret does not work any more."
            )}
          </Text>
        </>
      )}
    </SecretDialog>
  );
}

interface FormProps {
  id: string;
  onCancel: () => void;
  onMade: (made: RotatedKey) => void;
}

function Rotation({ id, onCancel, onMade }: FormProps) {
  const rotate = useRotateKey();
  return (
    <RotateForm
      overlaps={overlaps}
      note="Name, limits and history of the key stay. A secret that an earlier change left working ends now."
      rotate={async (overlapHours) => onMade(await rotate.mutateAsync({ id, overlapHours }))}
      onCancel={onCancel}
    />
  );
}
