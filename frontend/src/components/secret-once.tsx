import { Alert, Group, Stack, TextInput } from "@mantine/core";
import { IconEyeOff } from "@tabler/icons-react";
import { CopyButton } from "@/components/copy-button";

interface Props {
  secret: string;
  /** "key", "token" or "link". */
  what: string;
  children: string;
}

/** A secret that the server has forgotten already: to be copied now or never. */
export function SecretOnce({ secret, what, children }: Props) {
  return (
    <Stack gap="sm">
      <Alert color="yellow" variant="light" icon={<IconEyeOff size={18} aria-hidden />}>
        {children}
      </Alert>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <TextInput
          flex={1}
          label={`Your new ${what}`}
          value={secret}
          readOnly
          data-autofocus
          onFocus={(event) => event.currentTarget.select()}
          classNames={{ input: "mono" }}
        />
        <CopyButton value={secret} what={what} />
      </Group>
    </Stack>
  );
}
