import { Alert, Button, Group, Modal, type ModalProps, Stack, Text } from "@mantine/core";
import type { FormEventHandler, ReactNode } from "react";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  size?: ModalProps["size"];
  /** Only its buttons close it, because it shows what can't be shown again. */
  sticky?: boolean;
  /** Mounted anew at each opening, so that a form never starts with what was typed last time. */
  children: ReactNode;
}

export function FormDialog({
  opened,
  onClose,
  title,
  size = "md",
  sticky = false,
  children,
}: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<Text fw={600}>{title}</Text>}
      size={size}
      closeOnClickOutside={!sticky}
      closeOnEscape={!sticky}
    >
      {children}
    </Modal>
  );
}

interface FormBodyProps {
  onSubmit: FormEventHandler<HTMLFormElement>;
  onCancel?: () => void;
  submitLabel: string;
  saving: boolean;
  problem: string | null;
  disabled?: boolean;
  /** Of a form that is no dialog: whether it holds what nobody has saved. */
  unsaved?: boolean;
  children: ReactNode;
}

/** A form's fields, the refusal that belongs to none of them, and its buttons. */
export function FormBody(props: FormBodyProps) {
  return (
    <form
      onSubmit={(event) => {
        // React passes it on to a form from within which the dialog was opened, which is not meant.
        event.stopPropagation();
        props.onSubmit(event);
      }}
      data-unsaved={props.unsaved || undefined}
      noValidate
    >
      <Stack gap="md">
        {props.children}
        {props.problem ? (
          <Alert color="red" role="alert">
            {props.problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {props.onCancel ? (
            <Button variant="default" onClick={props.onCancel}>
              Cancel
            </Button>
          ) : null}
          <Button type="submit" loading={props.saving} disabled={props.disabled ?? false}>
            {props.submitLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
