import { Button, Group, type ModalProps, Stack } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { FormDialog } from "@/components/form-dialog";

interface Props<T> {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** When the secret is there. */
  readyTitle: string;
  readySize?: ModalProps["size"];
  form: (onMade: (made: T) => void) => ReactNode;
  /** Shows the secret, which is gone with the dialog. */
  children: (made: T) => ReactNode;
}

/** A form that makes something secret, and then what it made, once. */
export function SecretDialog<T>(props: Props<T>) {
  const [made, setMade] = useState<{ value: T } | null>(null);

  function close(): void {
    props.onClose();
    setMade(null);
  }

  return (
    <FormDialog
      opened={props.opened}
      onClose={close}
      title={made === null ? props.title : props.readyTitle}
      size={(made === null ? undefined : props.readySize) ?? "md"}
      sticky={made !== null}
    >
      {made === null ? (
        props.form((value) => setMade({ value }))
      ) : (
        <Stack gap="lg">
          {props.children(made.value)}
          <Group justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      )}
    </FormDialog>
  );
}
