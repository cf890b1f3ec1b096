import { Checkbox, Text } from "@mantine/core";
import { useState } from "react";
import { ModelName } from "@/features/policy/components/model-name";
import { ModelPicker } from "@/features/policy/components/model-picker";
import { countOf, grantModelsToUsers } from "@/features/users/bulk";
import { type BulkProps, BulkRun } from "@/features/users/components/bulk-run";
import { plural } from "@/lib/numbers";

export function BulkGrant(props: BulkProps) {
  const [modelIds, setModelIds] = useState<string[]>([]);

  function toggle(id: string): void {
    setModelIds(modelIds.includes(id) ? modelIds.filter((one) => one !== id) : [...modelIds, id]);
  }

  return (
    <BulkRun
      {...props}
      title={`Grant models to ${plural(countOf(props.selected), "user")}`}
      submitLabel={modelIds.length > 0 ? `Grant ${plural(modelIds.length, "model")}` : "Grant"}
      disabled={modelIds.length === 0}
      act={(users) => grantModelsToUsers(modelIds, users)}
      done={`granted ${plural(modelIds.length, "model")}`}
    >
      <Text size="sm" c="dimmed">
        Each gets a grant of their own. To change it later in one place, grant to a group instead.
      </Text>
      <ModelPicker
        action={(model) => (
          <Checkbox
            aria-label={`Grant ${model.slug}`}
            checked={modelIds.includes(model.id)}
            onChange={() => toggle(model.id)}
          />
        )}
      >
        {(model) => <ModelName model={model} />}
      </ModelPicker>
    </BulkRun>
  );
}
