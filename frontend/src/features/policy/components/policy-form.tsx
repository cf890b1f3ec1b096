import { Alert, Button, Group, Stack } from "@mantine/core";
import type { FormEventHandler, ReactNode } from "react";

interface Props {
  onSubmit: FormEventHandler<HTMLFormElement>;
  onDiscard: () => void;
  dirty: boolean;
  saving: boolean;
  /** What somebody else saved meanwhile beside what was typed, to choose from. */
  conflict: ReactNode;
  /** A refusal that belongs to no field. */
  problem: string | null;
  submitLabel: string;
  children: ReactNode;
}

/** Fields that are always open inside a card; the buttons wake up once something was changed. */
export function PolicyForm(props: Props) {
  const { dirty, saving } = props;
  return (
    <form onSubmit={props.onSubmit} data-unsaved={dirty || undefined} noValidate>
      <Stack gap="lg">
        {props.children}
        {saving ? null : props.conflict}
        {props.problem ? (
          <Alert color="red" role="alert">
            {props.problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onDiscard} disabled={!dirty || saving}>
            Discard
          </Button>
          <Button type="submit" loading={saving} disabled={!dirty || Boolean(props.conflict)}>
            {props.submitLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
