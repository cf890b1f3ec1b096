import { Badge, Code, Text } from "@mantine/core";
import { useState } from "react";
import { RowsTable } from "@/components/rows-table";
import { SearchInput } from "@/components/search-input";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import type { Setting } from "@/features/settings/queries";

interface Props {
  settings: Setting[];
}

/** Every setting with what is in force; whoever runs the server changes them, not this page. */
export function EnvironmentCard({ settings }: Props) {
  const [sought, setSought] = useState("");
  const words = sought.toLowerCase().split(/\s+/);
  const shown = settings.filter(({ name, description }) =>
    words.every((word) => `${name} ${description}`.toLowerCase().includes(word)),
  );
  return (
    <SectionCard
      title="Environment"
      description="Read once, when the server starts. To change one, set the variable and start the server again."
      flush
      actions={
        <SearchInput size="xs" label="Search settings" value={sought} onChange={setSought} />
      }
    >
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed" p="lg">
          No setting has this in its name or description.
        </Text>
      ) : (
        <RowsTable
          label="Settings"
          columns={columns}
          rows={shown.map((it) => ({ ...it, id: it.name }))}
        />
      )}
    </SectionCard>
  );
}

/** Descriptions mark what is to be typed as Markdown does. */
const marked = (text: string) =>
  text.split("`").map((part, position) =>
    position % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text that stays
      <Code key={position} fz="inherit">
        {part}
      </Code>
    ) : (
      part
    ),
  );

const columns: Column<Setting & { id: string }>[] = [
  {
    id: "name",
    header: "Variable",
    cell: ({ name, description }) => (
      <>
        <span className="mono" style={{ overflowWrap: "anywhere" }}>
          {name}
        </span>
        <Text size="xs" c="dimmed">
          {marked(description)}
        </Text>
      </>
    ),
  },
  {
    id: "value",
    header: "Value",
    cell: ({ value, given, secret }) => (
      <>
        {secret ? (
          <Text inherit c="dimmed">
            {given ? "Set, never shown" : "Not set"}
          </Text>
        ) : value === null || value === undefined ? (
          <Text inherit c="dimmed">
            None
          </Text>
        ) : (
          <Code style={{ overflowWrap: "anywhere" }}>{value}</Code>
        )}{" "}
        {given || secret || value === null ? null : <Badge color="gray">Default</Badge>}
      </>
    ),
    width: "36%",
  },
];
