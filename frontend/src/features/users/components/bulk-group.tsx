import { Radio, Text } from "@mantine/core";
import { useState } from "react";
import { GroupPicker } from "@/features/groups/components/group-picker";
import type { PickedGroup } from "@/features/groups/queries";
import { addUsersToGroup, countOf, removeUsersFromGroup } from "@/features/users/bulk";
import { type BulkProps, BulkRun } from "@/features/users/components/bulk-run";
import { plural } from "@/lib/numbers";

export function BulkAddToGroup(props: BulkProps) {
  const [group, setGroup] = useState<PickedGroup | null>(null);
  return (
    <BulkRun
      {...props}
      title={`Add ${plural(countOf(props.selected), "user")} to a group`}
      submitLabel={group ? `Add to ${group.name}` : "Add"}
      disabled={group === null}
      act={(users) => addUsersToGroup(group?.id ?? "", users)}
      done={`added to ${group?.name ?? "the group"}`}
    >
      <Text size="sm" c="dimmed">
        They get the group's grants, and its limits and caps apply to them from the next call on.
      </Text>
      <Choice label="Add to" group={group} onChange={setGroup} />
    </BulkRun>
  );
}

export function BulkRemoveFromGroup(props: BulkProps) {
  const [group, setGroup] = useState<PickedGroup | null>(null);
  return (
    <BulkRun
      {...props}
      title={`Remove ${plural(countOf(props.selected), "user")} from a group`}
      submitLabel={group ? `Remove from ${group.name}` : "Remove"}
      destructive
      disabled={group === null}
      act={(users) => removeUsersFromGroup(group?.id ?? "", users)}
      done={`removed from ${group?.name ?? "the group"}`}
    >
      <Text size="sm" c="dimmed">
        They lose the models that come through the group alone, and its limits and caps no longer
        apply to them, from the next call on.
      </Text>
      <Choice label="Remove from" group={group} onChange={setGroup} />
    </BulkRun>
  );
}

interface ChoiceProps {
  label: string;
  group: PickedGroup | null;
  onChange: (group: PickedGroup) => void;
}

function Choice({ label, group, onChange }: ChoiceProps) {
  return (
    <GroupPicker
      action={(one) => (
        <Radio
          name="group"
          aria-label={`${label} ${one.name}`}
          checked={group?.id === one.id}
          onChange={() => onChange(one)}
        />
      )}
    />
  );
}
