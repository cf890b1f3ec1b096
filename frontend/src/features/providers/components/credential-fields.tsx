import {
  Input,
  PasswordInput,
  type PasswordInputProps,
  SegmentedControl,
  Stack,
  TextInput,
} from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { accessKeys, type CredentialValues } from "@/features/providers/provider-form";
import type { KindInfo } from "@/features/providers/queries";

interface Props<T extends CredentialValues> {
  form: UseFormReturnType<T>;
  info: KindInfo;
  label?: string;
  description?: string;
  required?: boolean;
}

const stored = "Stored encrypted. Nobody can read it again, only replace it.";

/** What a kind is called with. Whatever goes in never comes out again. */
export function CredentialFields<T extends CredentialValues>({
  form,
  info,
  label = "API key",
  description = stored,
  required = info.credentialRequired,
}: Props<T>) {
  const pair = info.takesAccessKeys && form.values.proof === accessKeys;
  return (
    <>
      {info.takesAccessKeys ? (
        <Input.Wrapper label="Called with">
          <SegmentedControl
            fullWidth
            aria-label="Called with"
            data={[
              { value: accessKeys, label: "AWS access key" },
              { value: "key", label: "Bedrock API key" },
            ]}
            {...form.getInputProps("proof")}
          />
        </Input.Wrapper>
      ) : null}
      {pair ? (
        <Stack gap="md">
          <TextInput
            label="Access key ID"
            placeholder="AKIA…"
            autoComplete="off"
            required
            {...form.getInputProps("accessKeyId")}
          />
          <Hidden
            label="Secret access key"
            description={description}
            required
            {...form.getInputProps("secretAccessKey")}
          />
          <Hidden
            label="Session token"
            description="Only with temporary keys, which begin with ASIA and stop working after some hours."
            {...form.getInputProps("sessionToken")}
          />
        </Stack>
      ) : (
        <Hidden
          label={label}
          description={description}
          required={required}
          {...form.getInputProps("credential")}
        />
      )}
    </>
  );
}

function Hidden(props: PasswordInputProps) {
  return (
    <PasswordInput
      autoComplete="off"
      visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
      {...props}
    />
  );
}
