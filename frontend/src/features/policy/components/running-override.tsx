import { Anchor, Group, Text } from "@mantine/core";
import { Confirmed } from "@/components/confirm-dialog";
import { TemporaryBadge } from "@/features/policy/components/temporary-badge";
import { useEndOverride } from "@/features/policy/mutations";
import type { Override } from "@/features/policy/queries";
import { splitLabel } from "@/lib/labels";
import { notifySuccess } from "@/lib/notify";

interface Props {
  override: Override;
}

/** Until when a value is another than the merged one, why, and the way to end it. */
export function RunningOverride({ override }: Props) {
  const end = useEndOverride();
  return (
    <>
      <Group justify="space-between" gap="xs">
        <TemporaryBadge endsAt={override.endsAt} />
        <Confirmed
          title="End the temporary value now?"
          consequence="From the next call on, what the user and all groups have set is in force again."
          confirmLabel="End now"
          onConfirm={async () => {
            await end.mutateAsync(override.id);
            notifySuccess("The lasting value is in force again.");
          }}
          trigger={(open) => (
            <Anchor component="button" type="button" size="xs" onClick={open}>
              End now
            </Anchor>
          )}
        />
      </Group>
      <Reason override={override} />
    </>
  );
}

/** Why a temporary value was made, and by whom. */
export function Reason({ override }: { override: Pick<Override, "reason" | "createdBy"> }) {
  const { reason, createdBy } = override;
  return (
    <Text
      size="xs"
      c="dimmed"
      component="div"
      title={createdBy}
      style={{ overflowWrap: "anywhere" }}
    >
      “{reason}” – {splitLabel(createdBy).name}
    </Text>
  );
}
