import {
  Alert,
  Badge,
  Button,
  Checkbox,
  Group,
  SegmentedControl,
  Stack,
  Table,
  Text,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { FormDialog } from "@/components/form-dialog";
import { Loaded } from "@/components/loaded";
import { PickForm } from "@/components/pick-form";
import { SearchInput } from "@/components/search-input";
import {
  type Offer,
  offerOf,
  priceCatalogQuery,
  useImportModels,
  useListOffers,
} from "@/features/providers/import-queries";
import type { Provider } from "@/features/providers/queries";
import { formatPrice } from "@/lib/currency";
import { messageOf } from "@/lib/errors";
import { notifySuccess } from "@/lib/notify";
import { formatCompact, plural } from "@/lib/numbers";

interface Props {
  provider: Provider;
  opened: boolean;
  onClose: () => void;
}

const sources = [
  { value: "catalogue", label: "From the price catalogue" },
  { value: "provider", label: "From the provider" },
];

/** Takes models over, with their prices where these are known. */
export default function ImportDialog({ provider, opened, onClose }: Props) {
  const [source, setSource] = useState("catalogue");
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={`Import models of ${provider.name}`}
      size="xl"
    >
      <Stack gap="md">
        <SegmentedControl
          data={sources}
          value={source}
          onChange={setSource}
          aria-label="Where models come from"
        />
        {source === "catalogue" ? (
          <FromCatalogue provider={provider} onClose={onClose} />
        ) : (
          <FromProvider provider={provider} onClose={onClose} />
        )}
      </Stack>
    </FormDialog>
  );
}

function FromCatalogue({ provider, onClose }: Omit<Props, "opened">) {
  const catalog = useQuery(priceCatalogQuery(provider.kind));
  return (
    <Loaded query={catalog}>
      {({ entries, publishedOn, refreshed }) => (
        <>
          <Text size="sm" c="dimmed">
            {refreshed ? "The catalogue that an operator put in place" : "The shipped catalogue"},
            as of {publishedOn}. Check the prices that matter to you against the provider's page.
          </Text>
          {entries.length === 0 ? (
            <Text size="sm">It knows no models of this kind of provider.</Text>
          ) : (
            <OfferPicker provider={provider} offers={entries.map(offerOf)} onClose={onClose} />
          )}
        </>
      )}
    </Loaded>
  );
}

function FromProvider({ provider, onClose }: Omit<Props, "opened">) {
  const list = useListOffers();
  const failure = list.data?.ok === false ? list.data.message : null;
  const problem = list.error ? messageOf(list.error) : failure;
  if (list.data?.ok) {
    return <OfferPicker provider={provider} offers={list.data.offers} onClose={onClose} />;
  }
  return (
    <Stack gap="md" align="flex-start">
      <Text size="sm" c="dimmed">
        Asks {provider.name} for its model list with the stored key. Prices come from the list where
        it has such, else from the catalogue.
      </Text>
      <Button loading={list.isPending} onClick={() => list.mutate(provider.id)}>
        Ask for the list
      </Button>
      <div role="status">{problem ? <Alert color="red">{problem}</Alert> : null}</div>
    </Stack>
  );
}

interface PickerProps {
  provider: Provider;
  offers: Offer[];
  onClose: () => void;
}

function OfferPicker({ provider, offers, onClose }: PickerProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState("");
  const take = useImportModels();
  const known = new Set(provider.models.map(({ name }) => name));
  const shown = offers.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));

  function toggle(name: string): void {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  }

  async function submit(): Promise<void> {
    const models = offers.filter(({ name }) => chosen.has(name));
    const { providerModels } = await take.mutateAsync({ providerId: provider.id, models });
    notifySuccess(`${plural(providerModels.length, "model")} added.`);
    onClose();
  }

  return (
    <PickForm
      noun="model"
      label="Models to import"
      chosen={chosen.size}
      adding={take}
      add={submit}
      onClose={onClose}
      height="50vh"
      before={<SearchInput label="Filter models" value={search} onChange={setSearch} />}
    >
      <Table aria-label="Models to import" horizontalSpacing="sm" stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th aria-label="Chosen" />
            <Table.Th>Model</Table.Th>
            <Table.Th className="numeric">Input</Table.Th>
            <Table.Th className="numeric">Output</Table.Th>
            <Table.Th className="numeric" visibleFrom="sm">
              Context
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map((offer) => (
            <OfferRow
              key={offer.name}
              offer={offer}
              added={known.has(offer.name)}
              chosen={chosen.has(offer.name)}
              onToggle={() => toggle(offer.name)}
            />
          ))}
        </Table.Tbody>
      </Table>
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed" py="md">
          No model matches “{search}”.
        </Text>
      ) : null}
    </PickForm>
  );
}

interface RowProps {
  offer: Offer;
  added: boolean;
  chosen: boolean;
  onToggle: () => void;
}

function OfferRow({ offer, added, chosen, onToggle }: RowProps) {
  const { name, kind, prices, contextWindow } = offer;
  return (
    <Table.Tr>
      <Table.Td>
        <Checkbox
          aria-label={`Import ${name}`}
          checked={added || chosen}
          disabled={added}
          onChange={onToggle}
        />
      </Table.Td>
      <Table.Td>
        <Group gap={6}>
          <Text span className="mono" style={{ overflowWrap: "anywhere" }}>
            {name}
          </Text>
          {kind === "EMBEDDING" ? <Badge color="gray">Embedding</Badge> : null}
          {added ? <Badge color="gray">Added already</Badge> : null}
          {prices === null ? <Badge color="orange">No price known</Badge> : null}
        </Group>
      </Table.Td>
      <Table.Td className="numeric">{formatPrice(prices?.input)}</Table.Td>
      <Table.Td className="numeric">{formatPrice(prices?.output)}</Table.Td>
      <Table.Td className="numeric" visibleFrom="sm">
        {contextWindow === null ? "–" : formatCompact(contextWindow)}
      </Table.Td>
    </Table.Tr>
  );
}
