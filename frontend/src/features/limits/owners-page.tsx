import { Button, Stack } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { FileButton } from "@/components/file-button";
import { FormDialog } from "@/components/form-dialog";
import { PageHeader } from "@/components/page-header";
import { type Page, rowsOf, totalOf } from "@/lib/pages";

interface Props<Owner extends { id: string; name: string }> {
  title: string;
  /** What one owner has: "Budget". */
  values: string;
  description: string;
  icon: Icon;
  /** Where the list is as a file. */
  file: string;
  filters: ReactNode;
  columns: Column<Owner>[];
  query: UseInfiniteQueryResult<InfiniteData<Page<Owner>>>;
  /** What to say when filters leave nobody; null where there are none. */
  narrowed: { title: string; text: string; onClear: () => void } | null;
  /** What to say when nobody has such values. */
  none: { title: string; text: string };
  /** What the values of an owner are edited with. */
  edit: (owner: Owner) => ReactNode;
}

/** Everybody who has values of one sort, each with a dialog to edit them. */
export function OwnersPage<Owner extends { id: string; name: string }>(props: Props<Owner>) {
  const { title, icon, query, narrowed, none } = props;
  const [editing, setEditing] = useState<string | null>(null);
  // The row of the list, so that the form follows what the server has.
  const owner = rowsOf(query.data).find(({ id }) => id === editing);
  return (
    <Stack gap="lg">
      <PageHeader
        title={title}
        description={props.description}
        actions={<FileButton href={props.file} />}
      />
      <Stack gap="sm">
        {props.filters}
        <DataTable
          label={title}
          columns={[...props.columns, editColumn(props.values, setEditing)]}
          query={query}
          total={totalOf(query.data)}
          tall
          empty={
            narrowed ? (
              <EmptyState
                icon={icon}
                title={narrowed.title}
                action={
                  <Button variant="default" onClick={narrowed.onClear}>
                    Clear search and filters
                  </Button>
                }
              >
                {narrowed.text}
              </EmptyState>
            ) : (
              <EmptyState icon={icon} title={none.title}>
                {none.text}
              </EmptyState>
            )
          }
        />
      </Stack>
      <FormDialog
        opened={owner !== undefined}
        onClose={() => setEditing(null)}
        title={owner === undefined ? "" : `${props.values} of ${owner.name}`}
        size="lg"
      >
        {owner === undefined ? null : props.edit(owner)}
      </FormDialog>
    </Stack>
  );
}

function editColumn<Owner extends { id: string; name: string }>(
  values: string,
  onEdit: (id: string) => void,
): Column<Owner> {
  return {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: ({ id, name }) => (
      <Button
        size="compact-sm"
        variant="subtle"
        aria-label={`Edit ${values.toLowerCase()} of ${name}`}
        onClick={() => onEdit(id)}
      >
        Edit
      </Button>
    ),
  };
}
