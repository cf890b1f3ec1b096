import { MultiSelect, type MultiSelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { groupPickerQuery } from "@/features/groups/queries";
import { rowsOf } from "@/lib/pages";

type Props = Pick<MultiSelectProps, "label" | "description" | "error"> & {
  value?: string[];
  onChange?: (ids: string[]) => void;
};

/** A choice of groups, searched at the server. */
export function GroupsField({ value = [], onChange, ...rest }: Props) {
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), 200);
  const [names, setNames] = useState<Record<string, string>>({});
  const query = useInfiniteQuery(groupPickerQuery(search));
  const found = rowsOf(query.data).map(({ id, name }) => ({ value: id, label: name }));
  // What was chosen keeps its name also when the next search does not find it.
  const chosen = value
    .filter((id) => !found.some((option) => option.value === id))
    .map((id) => ({ value: id, label: names[id] ?? id }));

  return (
    <MultiSelect
      {...rest}
      value={value}
      onChange={(ids) => {
        const labels = found.filter((option) => ids.includes(option.value));
        setNames({ ...names, ...Object.fromEntries(labels.map((o) => [o.value, o.label])) });
        onChange?.(ids);
      }}
      data={[...chosen, ...found]}
      filter={({ options }) =>
        options.filter((option) => "value" in option && found.some((o) => o.value === option.value))
      }
      searchable
      searchValue={typed}
      onSearchChange={setTyped}
      placeholder={value.length === 0 ? "Search groups" : ""}
      nothingFoundMessage="No group matches"
      hidePickedOptions
      maxDropdownHeight={200}
    />
  );
}
