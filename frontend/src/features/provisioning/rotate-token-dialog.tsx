import { Text } from "@mantine/core";
import { RotateForm } from "@/components/rotate-form";
import { SecretDialog } from "@/components/secret-dialog";
import { SecretOnce } from "@/components/secret-once";
import { When } from "@/components/when";
import {
  type RotatedToken,
  type ScimToken,
  useRotateScimToken,
} from "@/features/provisioning/queries";

interface Props {
  token: ScimToken;
  opened: boolean;
  onClose: () => void;
}

const overlaps = [
  { value: "24", label: "One day" },
  { value: "0", label: "Not at all: it ends at once" },
];

/** Another secret for the same token: its name, and what the audit log says of it, stay. */
export function RotateTokenDialog({ token, opened, onClose }: Props) {
  return (
    <SecretDialog<RotatedToken>
      {...{ opened, onClose }}
      title={`New secret for ${token.name}`}
      readyTitle="The new secret is ready"
      form={(onMade) => <Rotation id={token.id} onCancel={onClose} onMade={onMade} />}
    >
      {({ secret, token: { previousPrefix, previousExpiresAt } }) => (
        <>
          <SecretOnce secret={secret} what="token">
            Copy it now and put it in the place of the old one. Nobody can show it again.
          </SecretOnce>
          <Text size="sm">
            {previousPrefix ? (
              <>
                The old secret, <span className="mono">{previousPrefix}…</span>, ends{" "}
                <When at={previousExpiresAt} />.
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
  onMade: (made: RotatedToken) => void;
}

function Rotation({ id, onCancel, onMade }: FormProps) {
  const rotate = useRotateScimToken();
  return (
    <RotateForm
      overlaps={overlaps}
      description="A secret that an earlier change left working ends now."
      rotate={async (overlapHours) => onMade(await rotate.mutateAsync({ id, overlapHours }))}
      onCancel={onCancel}
    />
  );
}
