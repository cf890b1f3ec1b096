import { Kbd, Loader, Modal, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { type Hit, useHits } from "@/features/palette/use-hits";
import { plural } from "@/lib/numbers";
import classes from "./palette.module.css";

interface Props {
  opened: boolean;
  onClose: () => void;
}

/** Leads to any page, and administrators to any user, group or model, by a few letters. */
export default function Palette({ opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      withCloseButton={false}
      centered={false}
      yOffset="10vh"
      size={600}
      padding={0}
      attributes={{ content: { "aria-label": "Search" } }}
      transitionProps={{ duration: 100 }}
    >
      <Search onClose={onClose} />
    </Modal>
  );
}

function Search({ onClose }: Pick<Props, "onClose">) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const { groups, searching } = useHits(text);
  const navigate = useNavigate();
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);

  const hits = groups.flatMap((group) => group.hits);
  const current = Math.min(active, hits.length - 1);
  const optionId = (index: number): string => `${listId}-${index}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever another one is current
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current]);

  function choose(hit: Hit | undefined): void {
    if (!hit) return;
    onClose();
    void navigate({ to: hit.to as "/", params: (hit.params ?? {}) as never });
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.nativeEvent.isComposing || hits.length === 0) return;
    if (event.key === "ArrowDown") setActive((current + 1) % hits.length);
    else if (event.key === "ArrowUp") setActive((current - 1 + hits.length) % hits.length);
    else if (event.key === "Enter") choose(hits[current]);
    else return;
    event.preventDefault();
  }

  let index = -1;
  return (
    <>
      <TextInput
        data-autofocus
        variant="unstyled"
        size="md"
        placeholder="Search pages, people, groups and models"
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={searching ? <Loader size={16} /> : null}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        role="combobox"
        aria-label="Search"
        aria-expanded={hits.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        {...(hits.length > 0 ? { "aria-activedescendant": optionId(current) } : {})}
        autoComplete="off"
        classNames={{ wrapper: classes.field ?? "" }}
      />
      <VisuallyHidden role="status">
        {text === "" ? "" : plural(hits.length, "result")}
      </VisuallyHidden>
      <div ref={list} id={listId} role="listbox" aria-label="Results" className={classes.list}>
        {groups.map(({ label, hits: members }) => (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a list box
          <div key={label} role="group" aria-label={label}>
            <div className={classes.heading} aria-hidden>
              {label}
            </div>
            {members.map((hit) => {
              index += 1;
              const own = index;
              return (
                <Option
                  key={hit.id}
                  id={optionId(own)}
                  hit={hit}
                  active={own === current}
                  onPoint={() => setActive(own)}
                  onChoose={() => choose(hit)}
                />
              );
            })}
          </div>
        ))}
      </div>
      {hits.length === 0 ? (
        <Text c="dimmed" size="sm" ta="center" pb="lg" pt="xs">
          {searching ? "Searching…" : `Nothing matches “${text.trim()}”.`}
        </Text>
      ) : null}
      <div className={classes.footer} aria-hidden>
        <span>
          <Kbd size="xs">↑</Kbd> <Kbd size="xs">↓</Kbd> to move
        </span>
        <span>
          <Kbd size="xs">↵</Kbd> to open
        </span>
        <span>
          <Kbd size="xs">esc</Kbd> to close
        </span>
      </div>
    </>
  );
}

interface OptionProps {
  id: string;
  hit: Hit;
  active: boolean;
  onPoint: () => void;
  onChoose: () => void;
}

function Option({ id, hit: { icon: Glyph, label, hint }, active, onPoint, onChoose }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and names the current option
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the field's
    <div
      id={id}
      role="option"
      aria-selected={active}
      className={classes.option}
      onMouseMove={onPoint}
      onMouseDown={(event) => event.preventDefault()}
      onClick={onChoose}
    >
      <Glyph size={18} stroke={1.7} aria-hidden />
      <span className={classes.label}>{label}</span>
      <span className={classes.hint}>{hint}</span>
    </div>
  );
}
