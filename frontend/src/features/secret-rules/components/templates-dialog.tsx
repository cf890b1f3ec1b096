import { Badge, Checkbox, Fieldset, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { FormDialog } from "@/components/form-dialog";
import { Loaded } from "@/components/loaded";
import { PickForm } from "@/components/pick-form";
import {
  type Pack,
  packsQuery,
  type SecretRule,
  useAddTemplates,
} from "@/features/secret-rules/queries";
import { actions } from "@/features/secret-rules/words";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";

interface Props {
  rules: SecretRule[];
  opened: boolean;
  onClose: () => void;
}

/** Makes rules of the templates that come with the server. */
export function TemplatesDialog({ rules, opened, onClose }: Props) {
  return (
    <FormDialog opened={opened} onClose={onClose} title="Add from template pack" size="lg">
      <Packs rules={rules} onClose={onClose} />
    </FormDialog>
  );
}

function Packs({ rules, onClose }: Omit<Props, "opened">) {
  const query = useQuery(packsQuery);
  return (
    <Loaded query={query}>
      {(packs) => <Picker packs={packs} rules={rules} onClose={onClose} />}
    </Loaded>
  );
}

interface PickerProps extends Omit<Props, "opened"> {
  packs: Pack[];
}

function Picker({ packs, rules, onClose }: PickerProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const add = useAddTemplates();
  const added = new Set(rules.map(({ template }) => template));
  const wanted = new Map(
    packs
      .map(({ key, templates }): [string, string[]] => [
        key,
        templates.map((template) => template.key).filter((one) => chosen.has(one)),
      ])
      .filter(([, templates]) => templates.length > 0),
  );

  function set(templates: string[], on: boolean): void {
    const next = new Set(chosen);
    for (const key of templates) {
      if (on) next.add(key);
      else next.delete(key);
    }
    setChosen(next);
  }

  async function submit(): Promise<void> {
    await add.mutateAsync(wanted);
    notifySuccess(`${plural(chosen.size, "rule is", "rules are")} in force.`);
    onClose();
  }

  return (
    <PickForm
      noun="rule"
      label="Templates"
      chosen={chosen.size}
      adding={add}
      add={submit}
      onClose={onClose}
      height="55vh"
      before={
        <Text size="sm" c="dimmed">
          Each becomes a rule that you can change like any other. They are in force at once.
        </Text>
      }
    >
      <Stack gap="md">
        {packs.map((pack) => (
          <PackFields key={pack.key} {...{ pack, added, chosen }} onSet={set} />
        ))}
      </Stack>
    </PickForm>
  );
}

interface PackProps {
  pack: Pack;
  /** Templates that rules come from already. */
  added: ReadonlySet<string | null | undefined>;
  chosen: ReadonlySet<string>;
  onSet: (templates: string[], on: boolean) => void;
}

function PackFields({ pack, added, chosen, onSet }: PackProps) {
  const free = pack.templates.map(({ key }) => key).filter((key) => !added.has(key));
  const count = free.filter((key) => chosen.has(key)).length;
  const all = free.length > 0 && count === free.length;
  return (
    <Fieldset legend={pack.name}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {pack.description}
        </Text>
        {free.length > 1 ? (
          <Checkbox
            label={`All of ${pack.name}`}
            fw={500}
            checked={all}
            indeterminate={count > 0 && !all}
            onChange={() => onSet(free, !all)}
          />
        ) : null}
        {pack.templates.map(({ key, name, description, action }) => (
          <Checkbox
            key={key}
            label={
              <>
                {name}{" "}
                <Badge component="span" color={actions[action].color}>
                  {actions[action].label}
                </Badge>{" "}
                {added.has(key) ? (
                  <Badge component="span" color="gray">
                    Added already
                  </Badge>
                ) : null}
              </>
            }
            description={description}
            checked={added.has(key) || chosen.has(key)}
            disabled={added.has(key)}
            onChange={(event) => onSet([key], event.currentTarget.checked)}
          />
        ))}
      </Stack>
    </Fieldset>
  );
}
