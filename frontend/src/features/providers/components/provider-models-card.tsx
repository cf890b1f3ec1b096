import { ActionIcon, Anchor, Badge, Box, Button, Group, Menu, Table, Text } from "@mantine/core";
import {
  IconCubePlus,
  IconDots,
  IconDownload,
  IconHistory,
  IconPencil,
  IconPlus,
  IconTrash,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { EmptyState } from "@/components/empty-state";
import { SearchInput } from "@/components/search-input";
import { SectionCard } from "@/components/section-card";
import { PriceCell } from "@/features/providers/components/price-cell";
import { ProviderModelDialog } from "@/features/providers/components/provider-model-dialog";
import { lossOf, strandedWords } from "@/features/providers/consequences";
import { useDeleteProviderModel } from "@/features/providers/mutations";
import { type PriceClass, priceClasses, samePrices } from "@/features/providers/prices";
import type { Provider, ProviderModel } from "@/features/providers/queries";
import { formatPrice } from "@/lib/currency";
import { formatDay } from "@/lib/dates";
import { notifySuccess } from "@/lib/notify";
import { formatCompact, plural } from "@/lib/numbers";

const ImportDialog = lazy(() => import("@/features/providers/components/import-dialog"));
const PriceListsDialog = lazy(() => import("@/features/providers/components/price-lists-dialog"));

interface Props {
  provider: Provider;
}

const filterFrom = 9;

// A phone shows what most calls cost; the rest is in the dialog.
const roomFor = (id: PriceClass) =>
  id === "input" || id === "output" ? {} : ({ visibleFrom: "sm" } as const);

export function ProviderModelsCard({ provider }: Props) {
  const [editing, setEditing] = useState<ProviderModel | "new" | null>(null);
  const [removing, setRemoving] = useState<ProviderModel | null>(null);
  const [pricing, setPricing] = useState<string | null>(null);
  const [search, setSearch] = useState("");
  const { models } = provider;
  const shown = models.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));

  const [importing, setImporting] = useState(false);
  const bring = (
    <Button
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      onClick={() => setImporting(true)}
    >
      Import models
    </Button>
  );
  const add = (
    <Button
      variant={models.length === 0 ? "filled" : "default"}
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setEditing("new")}
    >
      Add model
    </Button>
  );

  return (
    <SectionCard
      title="Provider models"
      description="What it offers, with prices in US dollars per million tokens. A model without a price is not served."
      actions={
        models.length === 0 ? undefined : (
          <Group gap="xs">
            {bring}
            {add}
          </Group>
        )
      }
      flush
    >
      {models.length === 0 ? (
        <EmptyState
          icon={IconCubePlus}
          title="No models yet"
          action={
            <Group gap="xs" justify="center">
              {bring}
              {add}
            </Group>
          }
        >
          Add a model by the name that {provider.name} knows it by, with what it costs. Then put it
          behind a model that callers name.
        </EmptyState>
      ) : (
        <>
          {models.length < filterFrom ? null : (
            <SearchInput
              label="Filter provider models"
              value={search}
              onChange={setSearch}
              mx="lg"
              mb="sm"
              maw={{ sm: 360 }}
            />
          )}
          <Box style={{ overflowX: "auto" }}>
            <Table
              className="flush-table"
              aria-label="Provider models"
              horizontalSpacing="sm"
              miw={{ base: "100%", sm: 860 }}
            >
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Model</Table.Th>
                  {priceClasses.map(({ id, short }) => (
                    <Table.Th key={id} className="numeric" {...roomFor(id)}>
                      {short}
                    </Table.Th>
                  ))}
                  <Table.Th className="numeric" visibleFrom="sm">
                    Context
                  </Table.Th>
                  <Table.Th visibleFrom="sm">Behind</Table.Th>
                  <Table.Th aria-label="Actions" />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {shown.map((model) => (
                  <ModelRow
                    key={model.id}
                    model={model}
                    onEdit={() => setEditing(model)}
                    onPrices={() => setPricing(model.id)}
                    onRemove={() => setRemoving(model)}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Box>
          {shown.length === 0 ? (
            <Text size="sm" c="dimmed" px="lg" py="md">
              No provider model matches “{search}”.
            </Text>
          ) : null}
        </>
      )}
      <ProviderModelDialog
        provider={provider}
        // As the server has it now, which somebody else may change while it is edited here.
        model={
          editing === "new" || editing === null
            ? null
            : (models.find(({ id }) => id === editing.id) ?? editing)
        }
        opened={editing !== null}
        onClose={() => setEditing(null)}
      />
      {models.map((model) =>
        model.id === pricing ? (
          <Suspense key={model.id}>
            <PriceListsDialog
              provider={provider}
              model={model}
              opened
              onClose={() => setPricing(null)}
            />
          </Suspense>
        ) : null,
      )}
      {importing ? (
        <Suspense>
          <ImportDialog provider={provider} opened onClose={() => setImporting(false)} />
        </Suspense>
      ) : null}
      <RemoveDialog model={removing} onClose={() => setRemoving(null)} />
    </SectionCard>
  );
}

interface RowProps {
  model: ProviderModel;
  onEdit: () => void;
  onPrices: () => void;
  onRemove: () => void;
}

function ModelRow({ model, onEdit, onPrices, onRemove }: RowProps) {
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6}>
          <Text span className="mono">
            {model.name}
          </Text>
          {model.kind === "EMBEDDING" ? <Badge color="gray">Embedding</Badge> : null}
          {model.priced ? null : <Badge color="orange">Not served: no price</Badge>}
          {model.own ? <Badge color="gray">Own prices</Badge> : null}
          <Coming model={model} />
          <CatalogHint model={model} />
        </Group>
      </Table.Td>
      {priceClasses.map(({ id }) => (
        <Table.Td key={id} className="numeric" {...roomFor(id)}>
          <PriceCell model={model} of={id} />
        </Table.Td>
      ))}
      <Table.Td className="numeric" visibleFrom="sm">
        {model.contextWindow ? formatCompact(model.contextWindow) : "–"}
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <UsedBy model={model} />
      </Table.Td>
      <Table.Td className="numeric">
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon aria-label={`Actions for ${model.name}`}>
              <IconDots size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={onEdit}>
              Edit prices and limits
            </Menu.Item>
            <Menu.Item leftSection={<IconHistory size={16} aria-hidden />} onClick={onPrices}>
              Price history and plans
            </Menu.Item>
            <Menu.Item
              color="var(--mantine-color-error)"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={onRemove}
            >
              Delete
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
}

/** Where the price page says something else than what calls are charged by. */
function CatalogHint({ model }: { model: ProviderModel }) {
  const { catalogEntry } = model;
  if (!catalogEntry || model.free || samePrices(catalogEntry.prices, model.prices)) return null;
  const { input, output } = catalogEntry.prices;
  const words = `The catalogue of ${catalogEntry.asOf} has ${formatPrice(input)} in and ${formatPrice(output)} out`;
  return (
    <Anchor href={catalogEntry.source} target="_blank" rel="noreferrer" size="xs" title={words}>
      Differs from the price catalogue
    </Anchor>
  );
}

/** The next price that is planned. */
function Coming({ model }: { model: ProviderModel }) {
  const next = model.priceLists.findLast(({ status }) => status === "COMING");
  return next ? <Badge color="blue">New price {formatDay(next.startsAt)}</Badge> : null;
}

function UsedBy({ model }: { model: ProviderModel }) {
  const [first, ...more] = model.usedBy;
  if (!first) {
    return (
      <Text span size="sm" c="dimmed">
        No model
      </Text>
    );
  }
  return (
    <Group gap={6} wrap="nowrap">
      <Link
        to="/admin/models/$modelId"
        params={{ modelId: first.id }}
        className="mono nowrap quiet-link"
      >
        {first.slug}
      </Link>
      {more.length > 0 ? (
        <Text span size="sm" c="dimmed" title={more.map(({ slug }) => slug).join(", ")}>
          +{more.length}
        </Text>
      ) : null}
    </Group>
  );
}

function RemoveDialog({ model, onClose }: { model: ProviderModel | null; onClose: () => void }) {
  const remove = useDeleteProviderModel();
  // The words stay while the dialog fades away.
  const [last, setLast] = useState<ProviderModel | null>(null);
  if (model !== null && model !== last) setLast(model);
  if (last === null) return null;
  const { backends, stranded } = lossOf([last]);
  return (
    <ConfirmDialog
      opened={model !== null}
      onClose={onClose}
      title={`Delete ${last.name}?`}
      consequence={
        <>
          {backends === 0
            ? "It stands behind no model."
            : `${plural(backends, "backend")} of models that callers name go with it.`}{" "}
          Usage history stays. This can't be undone.
          {stranded.length === 0
            ? null
            : ` ${strandedWords(stranded)} will answer no call any more.`}
        </>
      }
      confirmLabel="Delete model"
      onConfirm={async () => {
        await remove.mutateAsync(last.id);
        notifySuccess(`${last.name} deleted.`);
      }}
    />
  );
}
