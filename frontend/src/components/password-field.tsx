import { PasswordInput, type PasswordInputProps } from "@mantine/core";

const toggle = { "aria-label": "Show or hide the password" };

/** Mantine's own, which leaves it to us to name its button and to tell screen readers of a wrong value. */
export function PasswordField(props: PasswordInputProps) {
  return (
    <PasswordInput
      visibilityToggleButtonProps={toggle}
      {...props}
      {...(props.error ? { "aria-invalid": true } : {})}
    />
  );
}
