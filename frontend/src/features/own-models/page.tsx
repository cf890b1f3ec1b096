import { Button, Card, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconBox } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "@/components/empty-state";
import { Loaded } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { SearchInput } from "@/components/search-input";
import { ModelsTable } from "@/features/own-models/models-table";
import { type AvailableModel, availableModelsQuery } from "@/features/own-models/queries";
import type { OwnModelsSearch } from "@/features/own-models/search";
import { useTableState } from "@/lib/use-table-state";

export function OwnModelsPage() {
  const query = useQuery(availableModelsQuery);
  return (
    <Stack gap="lg">
      <PageHeader
        title="Models"
        description="What you may call. Send the name in the first column as the model; prices are per million tokens."
        actions={
          <Button variant="default" renderRoot={(props) => <Link to="/connect" {...props} />}>
            Connect an assistant
          </Button>
        }
      />
      <Loaded query={query} skeleton={<Skeleton height={240} role="status" aria-label="Loading" />}>
        {(models) => (models.length === 0 ? <NoModels /> : <Searchable models={models} />)}
      </Loaded>
    </Stack>
  );
}

const searchFrom = 8;

function Searchable({ models }: { models: AvailableModel[] }) {
  const { state, set } = useTableState<OwnModelsSearch>();
  const sought = state.q?.toLowerCase() ?? "";
  const found = models.filter((model) =>
    [model.slug, model.displayName, model.provider].some((text) =>
      text.toLowerCase().includes(sought),
    ),
  );
  return (
    <Stack gap="sm">
      {models.length < searchFrom && sought === "" ? null : (
        <SearchInput
          label="Search by name or provider"
          value={state.q ?? ""}
          onChange={(q) => set({ q })}
          maw={{ sm: 360 }}
        />
      )}
      {found.length === 0 ? (
        <Card padding={0}>
          <EmptyState
            icon={IconBox}
            title="No model matches"
            action={
              <Button variant="default" onClick={() => set({ q: undefined })}>
                Clear search
              </Button>
            }
          >
            None of your models has “{state.q}” in its name.
          </EmptyState>
        </Card>
      ) : (
        <ModelsTable models={found} />
      )}
      <Group>
        <Text size="xs" c="dimmed">
          Dimmed cache prices are those of fresh input, which apply because none of their own is
          set.
        </Text>
      </Group>
    </Stack>
  );
}

function NoModels() {
  return (
    <Card padding={0}>
      <EmptyState icon={IconBox} title="No model was granted to you yet">
        Ask an administrator for access to a model, directly or through a group. It shows up here at
        once.
      </EmptyState>
    </Card>
  );
}
