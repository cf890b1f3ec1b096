import { Button, Group, NativeSelect, Stack } from "@mantine/core";
import { IconBolt, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { SearchInput } from "@/components/search-input";
import { AddModelDialog } from "@/features/models/components/add-model-dialog";
import { BackendsSummary } from "@/features/models/components/backends-summary";
import { modelKindLabel } from "@/features/models/components/model-kind";
import { ModelStatusBadge, statusChoices } from "@/features/models/components/model-status";
import { type ListedModel, modelListQuery } from "@/features/models/queries";
import type { ModelListSearch } from "@/features/models/search";
import { totalOf } from "@/lib/pages";
import { useTableState } from "@/lib/use-table-state";

const columns: Column<ListedModel>[] = [
  {
    id: "slug",
    header: "Slug",
    cell: ({ slug }) => (
      <span className="mono" style={{ overflowWrap: "anywhere" }}>
        {slug}
      </span>
    ),
  },
  { id: "name", header: "Name", cell: ({ displayName }) => displayName || "–", from: "sm" },
  { id: "kind", header: "Kind", cell: ({ kind }) => modelKindLabel(kind), from: "md" },
  { id: "status", header: "Status", cell: (model) => <ModelStatusBadge model={model} /> },
  {
    id: "backends",
    header: "Backends",
    cell: ({ backends }) => <BackendsSummary backends={backends} />,
    from: "sm",
  },
];

const kindFilter = [
  { value: "", label: "Any kind" },
  { value: "CHAT", label: "Chat" },
  { value: "EMBEDDING", label: "Embedding" },
];

const statusFilter = [{ value: "", label: "Any status" }, ...statusChoices];

export function ModelsPage() {
  const { state, set, clear, isFiltered } = useTableState<ModelListSearch>();
  const query = useInfiniteQuery(modelListQuery(state));
  const [adding, setAdding] = useState(false);
  const filtered = isFiltered("q", "kind", "status");
  const total = totalOf(query.data);

  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      Add model
    </Button>
  );

  return (
    <Stack gap="lg">
      <PageHeader
        title="Models"
        description="The names that callers send, and the provider models that answer for them."
        actions={add}
      />
      <Stack gap="sm">
        <Group gap="xs">
          <SearchInput
            label="Search by slug or name"
            value={state.q ?? ""}
            onChange={(q) => set({ q: q || undefined })}
            flex="1 1 240px"
            maw={{ sm: 360 }}
          />
          <NativeSelect
            aria-label="Kind"
            data={kindFilter}
            value={state.kind ?? ""}
            onChange={({ currentTarget: { value } }) =>
              set({ kind: (value || undefined) as ModelListSearch["kind"] })
            }
          />
          <NativeSelect
            aria-label="Status"
            data={statusFilter}
            value={state.status ?? ""}
            onChange={({ currentTarget: { value } }) =>
              set({ status: (value || undefined) as ModelListSearch["status"] })
            }
          />
          {filtered ? (
            <Button variant="subtle" color="gray" onClick={clear}>
              Clear
            </Button>
          ) : null}
        </Group>
        <DataTable
          label="Models"
          columns={columns}
          query={query}
          rowLink={({ id }) => ({ to: "/admin/models/$modelId", params: { modelId: id } })}
          {...(total === undefined ? {} : { total })}
          empty={
            filtered ? (
              <EmptyState
                icon={IconBolt}
                title="No model matches"
                action={
                  <Button variant="default" onClick={clear}>
                    Clear search and filters
                  </Button>
                }
              >
                No model has this in its slug or name, or the filters leave none.
              </EmptyState>
            ) : (
              <EmptyState icon={IconBolt} title="No models yet" action={add}>
                A model is a name that callers send. Put a provider's model behind it, then grant it
                to users or groups.
              </EmptyState>
            )
          }
        />
      </Stack>
      <AddModelDialog opened={adding} onClose={() => setAdding(false)} />
    </Stack>
  );
}
