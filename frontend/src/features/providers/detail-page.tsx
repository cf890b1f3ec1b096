import { Alert, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Loaded } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { PageMissing } from "@/components/page-missing";
import { PageSkeleton } from "@/components/skeletons";
import { ConnectionCard } from "@/features/providers/components/connection-card";
import { ProviderActions } from "@/features/providers/components/provider-actions";
import { ProviderStatus } from "@/features/providers/components/provider-badges";
import { ProviderModelsCard } from "@/features/providers/components/provider-models-card";
import {
  type KindInfo,
  type Provider,
  providerDetailQuery,
  providerKindsQuery,
} from "@/features/providers/queries";

export function ProviderPage() {
  const { providerId } = useParams({ from: "/_app/admin/providers/$providerId" });
  const provider = useQuery(providerDetailQuery(providerId));
  const kinds = useQuery(providerKindsQuery);
  return (
    <Loaded query={provider} skeleton={<PageSkeleton />}>
      {(found) => (
        <Loaded query={kinds} skeleton={<PageSkeleton />}>
          {(all) => {
            const info = all.find(({ kind }) => kind === found?.kind);
            if (!found || !info) return <MissingProvider />;
            return <ProviderView provider={found} info={info} />;
          }}
        </Loaded>
      )}
    </Loaded>
  );
}

function MissingProvider() {
  return (
    <PageMissing title="There is no such provider">
      It may have been deleted, or the address is mistyped.
    </PageMissing>
  );
}

function ProviderView({ provider, info }: { provider: Provider; info: KindInfo }) {
  return (
    <Stack gap="lg">
      <PageHeader
        title={provider.name}
        badges={<ProviderStatus provider={provider} info={info} />}
        description={info.label}
        actions={<ProviderActions provider={provider} info={info} />}
        back={{ to: "/admin/providers", label: "Providers" }}
      />
      <Obstacle provider={provider} info={info} />
      <ConnectionCard provider={provider} info={info} />
      <ProviderModelsCard provider={provider} />
    </Stack>
  );
}

/** What keeps every call away, and the way out. */
function Obstacle({ provider, info }: { provider: Provider; info: KindInfo }) {
  if (!provider.enabled) {
    return (
      <Alert color="yellow" title="No call goes here while it is disabled">
        Models fall back on their other backends; enable it to bring its own back.
      </Alert>
    );
  }
  if (info.takesRegion && !provider.region) {
    return (
      <Alert color="yellow" title="No call goes here without a region">
        Edit the provider and set the region whose models are called.
      </Alert>
    );
  }
  if (info.credentialRequired && !provider.credentialPrefix) {
    return (
      <Alert color="yellow" title="No call goes here without an API key">
        Add the key below; it is stored encrypted.
      </Alert>
    );
  }
  return null;
}
