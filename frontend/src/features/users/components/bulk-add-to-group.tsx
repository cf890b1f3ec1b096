import { Radio, Text } from "@mantine/core";
import { useState } from "react";
import { GroupPicker } from "@/features/groups/components/group-picker";
import { addMembers, membersAtOnce } from "@/features/groups/mutations";
import type { PickedGroup } from "@/features/groups/queries";
import { type BulkProps, BulkRun } from "@/features/users/components/bulk-run";
import { plural } from "@/lib/numbers";

export function BulkAddToGroup(props: BulkProps) {
  const [group, setGroup] = useState<PickedGroup | null>(null);
  return (
    <BulkRun
      {...props}
      title={`Add ${plural(props.users.length, "user")} to a group`}
      submitLabel={group ? `Add to ${group.name}` : "Add"}
      disabled={group === null}
      lot={membersAtOnce}
      act={async (ids) => {
        if (group) await addMembers(group.id, ids);
      }}
      done={`added to ${group?.name ?? "the group"}`}
    >
      <Text size="sm" c="dimmed">
        They get the group's grants, and its limits and caps apply to them from the next call on.
      </Text>
      <GroupPicker
        action={(one) => (
          <Radio
            name="group"
            aria-label={`Add to ${one.name}`}
            checked={group?.id === one.id}
            onChange={() => setGroup(one)}
          />
        )}
      />
    </BulkRun>
  );
}
