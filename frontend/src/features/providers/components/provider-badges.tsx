import { Badge } from "@mantine/core";
import type { KindInfo, ListedProvider } from "@/features/providers/queries";

interface Props {
  provider: Pick<ListedProvider, "enabled" | "credentialPrefix">;
  info: KindInfo | undefined;
}

/** Whether calls may go there; what keeps them away although nobody switched it off. */
export function ProviderStatus({ provider, info }: Props) {
  if (!provider.enabled) return <Badge color="gray">Disabled</Badge>;
  if (info?.credentialRequired && provider.credentialPrefix === null) {
    return <Badge color="orange">No API key</Badge>;
  }
  return <Badge color="green">Enabled</Badge>;
}
