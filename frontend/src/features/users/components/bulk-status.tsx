import { Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { countOf, deleteUsers, reactivateUsers, suspendUsers } from "@/features/users/bulk";
import { type BulkProps, BulkRun } from "@/features/users/components/bulk-run";
import { plural } from "@/lib/numbers";

export function BulkSuspend(props: BulkProps) {
  return (
    <BulkRun
      {...props}
      title={`Suspend ${plural(countOf(props.selected), "user")}?`}
      submitLabel="Suspend"
      destructive
      act={suspendUsers}
      done="suspended"
    >
      <Text size="sm">
        Their API keys and console sessions stop working at once. Settings, grants and history stay,
        and each can be reactivated.
      </Text>
      <Left {...props} status="ACTIVE" words="suspended or only invited" />
    </BulkRun>
  );
}

export function BulkReactivate(props: BulkProps) {
  return (
    <BulkRun
      {...props}
      title={`Reactivate ${plural(countOf(props.selected), "user")}?`}
      submitLabel="Reactivate"
      act={reactivateUsers}
      done="reactivated"
    >
      <Text size="sm">
        Their API keys work again from the next call on, and they can sign in with their old
        password.
      </Text>
      <Left {...props} status="SUSPENDED" words="active or only invited" />
    </BulkRun>
  );
}

export function BulkDelete(props: BulkProps) {
  const count = countOf(props.selected);
  const [typed, setTyped] = useState("");
  return (
    <BulkRun
      {...props}
      title={`Delete ${plural(count, "user")}?`}
      submitLabel={`Delete ${plural(count, "user")}`}
      destructive
      disabled={typed.trim() !== String(count)}
      act={deleteUsers}
      done="deleted"
    >
      <Text size="sm">
        Their accounts, API keys, sessions, grants and memberships go at once and can't be brought
        back. What they used stays in the totals, shown as a deleted user's.
      </Text>
      <TextInput
        label={`Type ${count} to confirm`}
        inputMode="numeric"
        value={typed}
        onChange={({ currentTarget }) => setTyped(currentTarget.value)}
      />
    </BulkRun>
  );
}

/** How many of the rows that were ticked it does not concern. */
function Left({ selected, status, words }: BulkProps & { status: string; words: string }) {
  if (selected.kind === "matching") return null;
  const others = selected.users.filter((user) => user.status !== status).length;
  if (others === 0) return null;
  return (
    <Text size="sm" c="dimmed">
      {plural(others, "other")} in your selection {others === 1 ? "is" : "are"} {words} and will
      stay so.
    </Text>
  );
}
