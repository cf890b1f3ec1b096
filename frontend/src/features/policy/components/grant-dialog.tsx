import { Button, Group, Modal, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { ModelName } from "@/features/policy/components/model-name";
import { ModelPicker } from "@/features/policy/components/model-picker";
import type { HeldModel } from "@/features/policy/merge-grants";
import { useGrantModels } from "@/features/policy/mutations";
import type { PickedModel } from "@/features/policy/queries";
import type { Subject } from "@/features/policy/subject";

interface Props {
  subject: Subject;
  held: HeldModel[];
  opened: boolean;
  onClose: () => void;
}

export function GrantDialog({ subject, held, opened, onClose }: Props) {
  const lineOf = (model: PickedModel) => held.find((line) => line.model.id === model.id);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<Text fw={600}>Grant models to {subject.name}</Text>}
    >
      <ModelPicker
        action={(model) =>
          lineOf(model)?.own ? <Added /> : <AddButton subject={subject} model={model} />
        }
      >
        {(model) => (
          <>
            <ModelName model={model} />
            <Inherited line={lineOf(model)} />
          </>
        )}
      </ModelPicker>
    </Modal>
  );
}

function Added() {
  return (
    <Group gap={4} wrap="nowrap" c="dimmed" fz="sm" px="xs">
      <IconCheck size={16} aria-hidden /> Added
    </Group>
  );
}

function Inherited({ line }: { line: HeldModel | undefined }) {
  if (line === undefined || line.through.length === 0) return null;
  return (
    <Text size="xs" c="dimmed">
      Held via {line.through.map((group) => group.name).join(", ")}
    </Text>
  );
}

function AddButton({ subject, model }: { subject: Subject; model: PickedModel }) {
  const grant = useGrantModels(subject);
  return (
    <Button
      variant="default"
      size="compact-sm"
      loading={grant.isPending}
      onClick={() => grant.mutate([model.id])}
      aria-label={`Add ${model.slug}`}
    >
      Add
    </Button>
  );
}
