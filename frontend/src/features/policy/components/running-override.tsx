import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconClockHour4 } from "@tabler/icons-react";
import { Confirmed } from "@/components/confirm-dialog";
import { When } from "@/components/when";
import { useEndOverride } from "@/features/policy/mutations";
import type { Override } from "@/features/policy/queries";
import { notifySuccess } from "@/lib/notify";

interface Props {
  override: Override;
}

/** Until when a value is another than the merged one, why, and the way to end it. */
export function RunningOverride({ override }: Props) {
  const end = useEndOverride();
  return (
    <Group justify="space-between" align="flex-start" gap="xs" wrap="nowrap">
      <Stack gap={2} miw={0}>
        <Badge color="orange" leftSection={<IconClockHour4 size={12} aria-hidden />}>
          Temporary, ends <When at={override.endsAt} />
        </Badge>
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          “{override.reason}” – {override.createdBy}
        </Text>
      </Stack>
      <Confirmed
        title="End the temporary value now?"
        consequence="From the next call on, what the user and all groups have set is in force again."
        confirmLabel="End now"
        onConfirm={async () => {
          await end.mutateAsync(override.id);
          notifySuccess("The lasting value is in force again.");
        }}
        trigger={(open) => (
          <Button variant="subtle" color="gray" size="compact-xs" flex="none" onClick={open}>
            End now
          </Button>
        )}
      />
    </Group>
  );
}
