import { ActionIcon, Badge, Menu, Switch, Text } from "@mantine/core";
import { IconDots, IconHistory, IconPencil, IconTrash } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { FormDialog } from "@/components/form-dialog";
import { RowsTable } from "@/components/rows-table";
import type { Column } from "@/components/table-parts";
import { EditRuleForm } from "@/features/secret-rules/components/rule-form";
import { type SecretRule, useDeleteRule, useSwitchRule } from "@/features/secret-rules/queries";
import { actions } from "@/features/secret-rules/words";
import { notifySuccess } from "@/lib/notify";
import { formatCount, plural } from "@/lib/numbers";

/** Undefined while they load. */
export function RulesTable({ rules }: { rules: SecretRule[] | undefined }) {
  return <RowsTable label="Secret rules" columns={columns} rows={rules} skeletonRows={5} />;
}

const columns: Column<SecretRule>[] = [
  {
    id: "rule",
    header: "Rule",
    cell: ({ name, description, pattern }) => (
      <>
        <Text inherit fw={500} style={{ overflowWrap: "anywhere" }}>
          {name}
        </Text>
        {description ? (
          <Text size="xs" c="dimmed" lineClamp={2} visibleFrom="sm">
            {description}
          </Text>
        ) : null}
        <Text
          size="xs"
          className="mono"
          lineClamp={2}
          title={pattern}
          style={{ overflowWrap: "anywhere" }}
        >
          {pattern}
        </Text>
      </>
    ),
  },
  {
    id: "action",
    header: "Action",
    cell: ({ action }) => <Badge color={actions[action].color}>{actions[action].label}</Badge>,
  },
  {
    id: "recent",
    header: "Calls in 7 days",
    cell: ({ recentCalls }) => formatCount(recentCalls),
    numeric: true,
    from: "sm",
  },
  { id: "enabled", header: "On", cell: (rule) => <OnOff rule={rule} /> },
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: (rule) => <Actions rule={rule} />,
  },
];

function OnOff({ rule: { id, name, enabled, version } }: { rule: SecretRule }) {
  const turn = useSwitchRule();
  const on = turn.isPending ? turn.variables.enabled === true : enabled;
  return (
    <Switch
      aria-label={`Look for ${name}`}
      checked={on}
      onChange={(event) => {
        const wanted = event.currentTarget.checked;
        if (turn.isPending) return;
        turn.mutate(
          { id, enabled: wanted, expectedVersion: version },
          {
            onSuccess: () =>
              notifySuccess(
                wanted
                  ? `${name} is in force.`
                  : `${name} is off. Calls are not looked through for it any more.`,
              ),
          },
        );
      }}
    />
  );
}

function Actions({ rule }: { rule: SecretRule }) {
  const { id, name, action, enabled, recentCalls } = rule;
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const remove = useDeleteRule();
  const close = () => setDialog(null);
  return (
    <>
      <Menu position="bottom-end" width={160}>
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${name}`}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => setDialog("edit")}
          >
            Edit
          </Menu.Item>
          <Menu.Item
            leftSection={<IconHistory size={16} aria-hidden />}
            renderRoot={(props) => (
              <Link to="/admin/audit-log" search={{ kind: "secret_rule", id }} {...props} />
            )}
          >
            Changes
          </Menu.Item>
          <Menu.Item
            color="var(--mantine-color-error)"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => setDialog("delete")}
          >
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <FormDialog opened={dialog === "edit"} onClose={close} title={`Edit ${name}`} size="lg">
        <EditRuleForm rule={rule} onDone={close} />
      </FormDialog>
      <ConfirmDialog
        opened={dialog === "delete"}
        onClose={close}
        title={`Delete ${name}?`}
        consequence={
          <>
            {enabled
              ? `From the next call on nobody's prompts are looked through for it${consequences[action]}.`
              : "It is off, so that calls go on as they do now."}{" "}
            {recentCalls > 0
              ? `It matched in ${plural(recentCalls, "call")} of the last seven days; what it found stays in the list. `
              : ""}
            This can't be undone; turning it off can.
          </>
        }
        confirmLabel="Delete rule"
        onConfirm={async () => {
          await remove.mutateAsync(id);
          notifySuccess(`${name} is deleted.`);
        }}
      />
    </>
  );
}

const consequences: Record<SecretRule["action"], string> = {
  BLOCK: ", and what it held back goes to providers",
  REDACT: ", and what it took out goes to providers",
  LOG: "",
};
