import { Combobox, InputBase, Text, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { whoQuery, whoseQuery } from "@/features/usage/whose";

interface Props {
  user: string | undefined;
  group: string | undefined;
  onChange: (chosen: { user: string | undefined; group: string | undefined }) => void;
}

const pause = 200;
const everyone = "everyone";

/** Narrows usage to one user or one group, found by name on the server. */
export function WhoseFilter({ user, group, onChange }: Props) {
  const [text, setText] = useState("");
  const [sought] = useDebouncedValue(text.trim(), pause);
  const chosen = useQuery(whoQuery({ user, group }));
  const found = useQuery(whoseQuery(sought));
  const combobox = useCombobox({
    onDropdownOpen: () => combobox.focusSearchInput(),
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      combobox.focusTarget();
      setText("");
    },
  });

  return (
    <Combobox
      store={combobox}
      position="bottom-end"
      width={280}
      onOptionSubmit={(value) => {
        const [kind, id] = value.split(":");
        onChange({
          user: kind === "user" ? id : undefined,
          group: kind === "group" ? id : undefined,
        });
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target targetType="button">
        <InputBase
          component="button"
          type="button"
          pointer
          w={{ base: "100%", sm: 200 }}
          aria-label={`Whose usage: ${chosen.data ?? "Everyone"}`}
          leftSection={<IconUsers size={16} aria-hidden />}
          rightSection={<Combobox.Chevron />}
          rightSectionPointerEvents="none"
          onClick={() => combobox.toggleDropdown()}
        >
          <Text span inherit truncate display="block">
            {chosen.isPending ? "…" : (chosen.data ?? "Everyone")}
          </Text>
        </InputBase>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          aria-label="Search users and groups"
          placeholder="Search users and groups"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.updateSelectedOptionIndex();
          }}
        />
        <Combobox.Options mah={320} style={{ overflowY: "auto" }} aria-label="Whose usage">
          {sought === "" ? <Combobox.Option value={everyone}>Everyone</Combobox.Option> : null}
          {found.data?.map(({ label, choices }) => (
            <Combobox.Group key={label} label={label}>
              {choices.map(({ value, name, email }) => (
                <Combobox.Option key={value} value={value}>
                  {name}
                  {email ? (
                    <Text size="xs" c="dimmed">
                      {email}
                    </Text>
                  ) : null}
                </Combobox.Option>
              ))}
            </Combobox.Group>
          ))}
          {found.data?.length === 0 ? <Combobox.Empty>Nobody matches</Combobox.Empty> : null}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
