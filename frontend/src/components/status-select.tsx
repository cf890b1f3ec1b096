import { NativeSelect } from "@mantine/core";

interface Props<Status extends string> {
  label: string;
  statuses: Record<Status, { label: string }>;
  /** Null: all of them. */
  value: Status | null;
  onChange: (status: Status | null) => void;
}

/** Narrows a list in a card to one status. */
export function StatusSelect<Status extends string>(props: Props<Status>) {
  const { label, statuses, value, onChange } = props;
  const known = Object.entries<{ label: string }>(statuses);
  return (
    <NativeSelect
      size="xs"
      aria-label={label}
      value={value ?? ""}
      onChange={({ currentTarget }) => onChange((currentTarget.value || null) as Status | null)}
      data={[
        { value: "", label: "All" },
        ...known.map(([one, words]) => ({ value: one, label: words.label })),
      ]}
    />
  );
}
