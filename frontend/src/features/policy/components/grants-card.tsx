import { Box, Button, Group, Table, Text } from "@mantine/core";
import { IconCubePlus, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { EmptyState } from "@/components/empty-state";
import { SearchInput } from "@/components/search-input";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { GrantDialog } from "@/features/policy/components/grant-dialog";
import { ModelName } from "@/features/policy/components/model-name";
import { Via } from "@/features/policy/components/source";
import type { HeldModel } from "@/features/policy/merge-grants";
import { useRevokeGrant } from "@/features/policy/mutations";
import type { Subject } from "@/features/policy/subject";
import { notifySuccess } from "@/lib/notify";

interface Props {
  subject: Subject;
  held: HeldModel[];
}

const filterFrom = 9;

export function GrantsCard({ subject, held }: Props) {
  const [picking, setPicking] = useState(false);
  const [search, setSearch] = useState("");
  const shown = held.filter(({ model }) => matches(model, search));
  const forUser = subject.kind === "user";

  const add = (
    <Button
      variant="default"
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setPicking(true)}
    >
      Add models
    </Button>
  );

  return (
    <SectionCard
      title="Model access grants"
      description={
        forUser
          ? "What this user may call: the user's own grants and those of all groups together."
          : "What every member may call, beside what they are granted elsewhere."
      }
      actions={held.length === 0 ? undefined : add}
      flush
    >
      {held.length === 0 ? (
        <EmptyState icon={IconCubePlus} title="No models granted" action={add}>
          {forUser
            ? "Every call is refused until a model is granted here or through a group."
            : "Members get no model through this group until one is granted here."}
        </EmptyState>
      ) : (
        <>
          {held.length < filterFrom ? null : (
            <SearchInput
              label="Filter granted models"
              value={search}
              onChange={setSearch}
              mx="lg"
              mb="sm"
            />
          )}
          <Box mah={440} style={{ overflowY: "auto" }}>
            <Table className="flush-table" stickyHeader>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Model</Table.Th>
                  <Table.Th visibleFrom="xs">{forUser ? "Granted" : "Since"}</Table.Th>
                  <Table.Th aria-label="Actions" />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {shown.map((line) => (
                  <GrantRow key={line.model.id} line={line} subject={subject} />
                ))}
              </Table.Tbody>
            </Table>
            {shown.length === 0 ? (
              <Text size="sm" c="dimmed" px="lg" py="md">
                No granted model matches “{search}”.
              </Text>
            ) : null}
          </Box>
        </>
      )}
      <GrantDialog
        subject={subject}
        held={held}
        opened={picking}
        onClose={() => setPicking(false)}
      />
    </SectionCard>
  );
}

interface RowProps {
  line: HeldModel;
  subject: Subject;
}

function GrantRow({ line: { model, own, through }, subject }: RowProps) {
  const revoke = useRevokeGrant();
  return (
    <Table.Tr>
      <Table.Td>
        <ModelName model={model} />
        <Box hiddenFrom="xs" mt={4}>
          <Origin subject={subject} own={own} through={through} />
        </Box>
      </Table.Td>
      <Table.Td visibleFrom="xs">
        <Origin subject={subject} own={own} through={through} />
      </Table.Td>
      <Table.Td className="numeric">
        {own === null ? null : (
          <Confirmed
            title={`Revoke ${model.slug}?`}
            consequence={consequenceOf(subject, model.slug, through)}
            confirmLabel="Revoke"
            onConfirm={async () => {
              await revoke.mutateAsync(own.id);
              notifySuccess(`${model.slug} revoked.`);
            }}
            trigger={(open) => (
              <Button
                variant="subtle"
                color="gray"
                size="compact-sm"
                onClick={open}
                aria-label={`Revoke ${model.slug}`}
              >
                Revoke
              </Button>
            )}
          />
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Origin({
  subject,
  own,
  through,
}: Pick<HeldModel, "own" | "through"> & { subject: Subject }) {
  return (
    <Group gap="xs" c="dimmed" fz="sm">
      {own === null ? null : subject.kind === "group" ? (
        <When at={own.createdAt} />
      ) : (
        <span>
          Personally, <When at={own.createdAt} />
        </span>
      )}
      {through.map((group) => (
        <Via key={group.id} group={group} />
      ))}
    </Group>
  );
}

function consequenceOf(subject: Subject, slug: string, through: HeldModel["through"]): string {
  if (subject.kind === "group") {
    return `Members of ${subject.name} can't call ${slug} from the next call on, unless it is granted to them elsewhere. Calls that are running finish.`;
  }
  if (through.length > 0) {
    const names = through.map((group) => group.name).join(", ");
    return `${subject.name} keeps access to ${slug} through ${names}; only the personal grant goes.`;
  }
  return `${subject.name} can't call ${slug} from the next call on. Calls that are running finish.`;
}

const matches = (model: HeldModel["model"], search: string): boolean =>
  `${model.slug} ${model.displayName}`.toLowerCase().includes(search.toLowerCase());
