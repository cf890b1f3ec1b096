import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconCircleX } from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { CredentialDialog } from "@/features/providers/components/credential-dialog";
import { addressOf } from "@/features/providers/kinds";
import { useTestProvider } from "@/features/providers/mutations";
import type { KindInfo, Provider } from "@/features/providers/queries";
import { formatExact } from "@/lib/dates";
import { messageOf } from "@/lib/errors";
import { formatDuration } from "@/lib/numbers";
import classes from "./connection-card.module.css";

const MultipliersDialog = lazy(() => import("@/features/providers/components/multipliers-dialog"));
const HeadersDialog = lazy(() => import("@/features/providers/components/headers-dialog"));

interface Props {
  provider: Provider;
  info: KindInfo;
}

export function ConnectionCard({ provider, info }: Props) {
  const test = useTestProvider();
  return (
    <SectionCard
      title="Connection"
      actions={
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate(provider.id)}>
          Test connection
        </Button>
      }
    >
      <Stack gap="md">
        <dl className={classes.facts}>
          <Fact label="Address">
            <span className={provider.kind === "DEMO" ? undefined : "mono"}>
              {addressOf(provider, info)}
            </span>
          </Fact>
          {info.takesOrganization ? (
            <Fact label="Organisation">{provider.organization ?? "None"}</Fact>
          ) : null}
          {info.takesRegion ? <Fact label="Region">{provider.region ?? "None"}</Fact> : null}
          {info.takesApiVersion ? (
            <Fact label="API version">{provider.apiVersion ?? "Newest"}</Fact>
          ) : null}
          {info.choosesResponses ? (
            <Fact label="Responses">
              {provider.servesResponses ? "Served" : "Translated to Chat Completions"}
            </Fact>
          ) : null}
          {provider.kind === "DEMO" ? null : (
            <Fact label={info.takesAccessKeys ? "Key" : "API key"}>
              <Credential provider={provider} info={info} />
            </Fact>
          )}
          <Fact label="Price multiplier">
            <Multiplier provider={provider} />
          </Fact>
          {info.takesHeaders ? (
            <Fact label="Headers">
              <Headers provider={provider} />
            </Fact>
          ) : null}
          <Fact label="Added">
            <When at={provider.createdAt} />
          </Fact>
        </dl>
        <TestResult test={test} />
      </Stack>
    </SectionCard>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Credential({ provider, info }: Props) {
  const [replacing, setReplacing] = useState(false);
  const { credentialPrefix } = provider;
  return (
    <Group gap="xs">
      {credentialPrefix === null || credentialPrefix === undefined ? (
        <span>None stored</span>
      ) : (
        <span>
          <span className="mono">{credentialPrefix}</span>
          <Text span c="dimmed" size="sm">
            {" "}
            · updated <When at={provider.credentialUpdatedAt} />
          </Text>
        </span>
      )}
      <Button variant="default" size="compact-sm" onClick={() => setReplacing(true)}>
        {credentialPrefix === null ? "Add key" : "Replace key"}
      </Button>
      <CredentialDialog
        provider={provider}
        info={info}
        opened={replacing}
        onClose={() => setReplacing(false)}
      />
    </Group>
  );
}

function Multiplier({ provider }: Pick<Props, "provider">) {
  const [planning, setPlanning] = useState(false);
  const next = provider.plannedMultipliers[0];
  return (
    <Group gap="xs">
      <span>
        × {provider.priceMultiplier}
        {next ? (
          <Text span c="dimmed" size="sm">
            {" "}
            · × {next.multiplier} from {formatExact(next.startsAt)}
          </Text>
        ) : null}
      </span>
      <Button variant="default" size="compact-sm" onClick={() => setPlanning(true)}>
        Plan changes
      </Button>
      {planning ? (
        <Suspense>
          <MultipliersDialog provider={provider} opened onClose={() => setPlanning(false)} />
        </Suspense>
      ) : null}
    </Group>
  );
}

function Headers({ provider }: Pick<Props, "provider">) {
  const [editing, setEditing] = useState(false);
  return (
    <Group gap="xs">
      <span className={provider.headerNames.length === 0 ? undefined : "mono"}>
        {provider.headerNames.join(", ") || "None of its own"}
      </span>
      <Button variant="default" size="compact-sm" onClick={() => setEditing(true)}>
        Edit headers
      </Button>
      {editing ? (
        <Suspense>
          <HeadersDialog provider={provider} opened onClose={() => setEditing(false)} />
        </Suspense>
      ) : null}
    </Group>
  );
}

/** Says what came of the test, to screen readers too; the region is there before its text is. */
function TestResult({ test }: { test: ReturnType<typeof useTestProvider> }) {
  const { data, error } = test;
  const ok = data?.ok ?? false;
  const words = data?.message ?? (error ? messageOf(error) : null);
  return (
    <div role="status">
      {words === null ? null : (
        <Alert
          color={ok ? "green" : "red"}
          icon={ok ? <IconCircleCheck aria-hidden /> : <IconCircleX aria-hidden />}
        >
          {words}
          {data && ok && data.latencyMs > 0 ? ` It took ${formatDuration(data.latencyMs)}.` : ""}
        </Alert>
      )}
    </div>
  );
}
