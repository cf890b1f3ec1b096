import { Text } from "@mantine/core";
import { type BulkProps, BulkRun } from "@/features/users/components/bulk-run";
import { suspendUser } from "@/features/users/mutations";
import { plural } from "@/lib/numbers";

export function BulkSuspend(props: BulkProps) {
  const active = props.users.filter(({ status }) => status === "ACTIVE");
  const others = props.users.length - active.length;
  return (
    <BulkRun
      {...props}
      title={`Suspend ${plural(active.length, "user")}?`}
      submitLabel="Suspend"
      destructive
      concerned={active}
      act={async ([id = ""]) => suspendUser(id)}
      done="suspended"
    >
      <Text size="sm">
        Their API keys and console sessions stop working at once. Settings, grants and history stay,
        and each can be reactivated.
      </Text>
      {others === 0 ? null : (
        <Text size="sm" c="dimmed">
          {plural(others, "other")} in your selection {others === 1 ? "is" : "are"} suspended or
          only invited and will stay so.
        </Text>
      )}
    </BulkRun>
  );
}
