import { Button, Skeleton, Stack, Text } from "@mantine/core";
import { IconBuildingStore, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { SearchInput } from "@/components/search-input";
import { When } from "@/components/when";
import { AddProviderDialog } from "@/features/providers/components/add-provider-dialog";
import { ProviderStatus } from "@/features/providers/components/provider-badges";
import { detailsOf } from "@/features/providers/kinds";
import {
  type KindInfo,
  type ListedProvider,
  providerKindsQuery,
  providerListQuery,
} from "@/features/providers/queries";
import type { ProviderListSearch } from "@/features/providers/search";
import { totalOf } from "@/lib/pages";
import { useTableState } from "@/lib/use-table-state";

function columnsWith(kinds: KindInfo[] | undefined): Column<ListedProvider>[] {
  const infoOf = ({ kind }: ListedProvider) => kinds?.find((info) => info.kind === kind);
  return [
    { id: "name", header: "Name", cell: ({ name }) => name },
    {
      id: "kind",
      header: "Kind",
      cell: (provider) => infoOf(provider)?.label ?? <Skeleton height={12} width={80} />,
    },
    {
      id: "details",
      header: "Details",
      cell: (provider) => (
        <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {detailsOf(provider, infoOf(provider))}
        </Text>
      ),
      from: "md",
    },
    {
      id: "status",
      header: "Status",
      cell: (provider) => <ProviderStatus provider={provider} info={infoOf(provider)} />,
    },
    {
      id: "created",
      header: "Created",
      cell: ({ createdAt }) => <When at={createdAt} />,
      from: "sm",
    },
  ];
}

export function ProvidersPage() {
  const { state, set, clear, isFiltered } = useTableState<ProviderListSearch>();
  const query = useInfiniteQuery(providerListQuery(state));
  const { data: kinds } = useQuery(providerKindsQuery);
  const [adding, setAdding] = useState(false);
  const total = totalOf(query.data);

  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      Add provider
    </Button>
  );

  return (
    <Stack gap="lg">
      <PageHeader
        title="Providers"
        description="Where models come from: whose interface, which address, which key, what prices."
        actions={add}
      />
      <Stack gap="sm">
        <SearchInput
          label="Search by name"
          value={state.q ?? ""}
          onChange={(q) => set({ q: q || undefined })}
          maw={{ sm: 360 }}
        />
        <DataTable
          label="Providers"
          columns={columnsWith(kinds)}
          query={query}
          rowLink={({ id }) => ({ to: "/admin/providers/$providerId", params: { providerId: id } })}
          {...(total === undefined ? {} : { total })}
          empty={
            isFiltered("q") ? (
              <EmptyState
                icon={IconBuildingStore}
                title="No provider matches"
                action={
                  <Button variant="default" onClick={clear}>
                    Clear search
                  </Button>
                }
              >
                No provider has “{state.q}” in its name.
              </EmptyState>
            ) : (
              <EmptyState icon={IconBuildingStore} title="No providers yet" action={add}>
                Add the company or the server that answers calls, then the models that it offers.
              </EmptyState>
            )
          }
        />
      </Stack>
      <AddProviderDialog opened={adding} onClose={() => setAdding(false)} />
    </Stack>
  );
}
