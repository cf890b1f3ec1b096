import { Anchor, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Loaded } from "@/components/loaded";
import { modelKindLabel } from "@/features/models/components/model-kind";
import { type Offer, offersQuery } from "@/features/models/queries";
import type { ModelKind } from "@/gql/graphql";

interface Props {
  kind: ModelKind;
  /** Ids of what stands behind the model already. */
  taken: string[];
  onPick: (offer: Offer) => void;
}

/** Finds a provider's model to put behind a model. */
export function OfferPicker(props: Props) {
  const offers = useQuery(offersQuery);
  return (
    <Loaded query={offers} skeleton={<Skeleton height={36} />}>
      {(data) => <Picker {...props} offers={data.filter(({ kind }) => kind === props.kind)} />}
    </Loaded>
  );
}

function Picker({ kind, taken, onPick, offers }: Props & { offers: Offer[] }) {
  const [search, setSearch] = useState("");
  const free = offers.filter(({ id }) => !taken.includes(id));

  if (offers.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No provider offers a model of kind {modelKindLabel(kind).toLowerCase()} yet.{" "}
        <Anchor inherit renderRoot={(rest) => <Link to="/admin/providers" {...rest} />}>
          Add one to a provider
        </Anchor>{" "}
        first.
      </Text>
    );
  }

  return (
    <Select
      aria-label="Add a backend"
      placeholder={free.length === 0 ? "Everything on offer is in use here" : "Add a backend…"}
      disabled={free.length === 0}
      searchable
      // Enter takes what is marked; without these a list that has just opened marks nothing a moment later.
      selectFirstOptionOnChange
      selectFirstOptionOnDropdownOpen
      limit={100}
      searchValue={search}
      onSearchChange={setSearch}
      nothingFoundMessage="No provider model matches"
      value={null}
      data={free.map(({ id, name, provider }) => ({
        value: id,
        label: `${name} · ${provider.name}`,
      }))}
      renderOption={({ option }) => <Option offer={free.find(({ id }) => id === option.value)} />}
      onChange={(id) => {
        const offer = free.find((one) => one.id === id);
        if (offer) onPick(offer);
        setSearch("");
      }}
    />
  );
}

function Option({ offer }: { offer: Offer | undefined }) {
  if (!offer) return null;
  return (
    <Stack gap={0}>
      <Text size="sm" className="mono" style={{ overflowWrap: "anywhere" }}>
        {offer.name}
      </Text>
      {/* Dimmed it could not be read on the option that is marked. */}
      <Text size="xs" c="inherit" opacity={0.9}>
        {offer.provider.name}
        {offer.obstacle ? ` · ${offer.obstacle}` : ""}
      </Text>
    </Stack>
  );
}
