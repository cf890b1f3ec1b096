import { Combobox, InputBase, type InputBaseProps, Text, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import type { Icon } from "@tabler/icons-react";
import { useState } from "react";

export interface Choices {
  label: string;
  choices: { value: string; name: string; email: string | null }[];
}

interface Props extends Pick<InputBaseProps, "w"> {
  /** "Whose usage" */
  label: string;
  icon: Icon;
  searchLabel: string;
  /** What it says when it narrows nothing: "Everyone". */
  all: string;
  /** What it says when nothing has the name that is sought. */
  none?: string;
  /** The name of what is chosen; null for all, undefined while it is looked up. */
  chosen: string | null | undefined;
  /** A hook that gives what matches. */
  useFound: (sought: string) => Choices[] | undefined;
  onChange: (value: string | null) => void;
}

const pause = 200;
const allValue = "all";

/** Narrows a page to something that the server finds by name. */
export function LookupFilter(props: Props) {
  const {
    label,
    icon: Glyph,
    searchLabel,
    all,
    none = "Nobody matches",
    chosen,
    useFound,
    onChange,
    ...rest
  } = props;
  const [text, setText] = useState("");
  const [sought] = useDebouncedValue(text.trim(), pause);
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
        onChange(value === allValue ? null : value);
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target targetType="button">
        <InputBase
          component="button"
          type="button"
          pointer
          {...rest}
          aria-label={`${label}: ${chosen ?? all}`}
          leftSection={<Glyph size={16} aria-hidden />}
          rightSection={<Combobox.Chevron />}
          rightSectionPointerEvents="none"
          onClick={() => combobox.toggleDropdown()}
        >
          <Text span inherit truncate display="block">
            {chosen === undefined ? "…" : (chosen ?? all)}
          </Text>
        </InputBase>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          aria-label={searchLabel}
          placeholder={searchLabel}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.updateSelectedOptionIndex();
          }}
        />
        <Combobox.Options mah={320} style={{ overflowY: "auto" }} aria-label={label}>
          <Found {...{ all, none, sought, useFound }} />
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

interface FoundProps extends Pick<Props, "all" | "useFound"> {
  none: string;
  sought: string;
}

/** Asks the server, and only while the list is open. */
function Found({ all, none, sought, useFound }: FoundProps) {
  const found = useFound(sought);
  return (
    <>
      {sought === "" ? <Combobox.Option value={allValue}>{all}</Combobox.Option> : null}
      {found?.map((group) => (
        <Combobox.Group key={group.label} label={group.label}>
          {group.choices.map(({ value, name, email }) => (
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
      {found?.length === 0 && sought !== "" ? <Combobox.Empty>{none}</Combobox.Empty> : null}
    </>
  );
}
