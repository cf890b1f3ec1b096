import { Button, Code, Group, Table, Text } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CopyButton } from "@/components/copy-button";
import { CredentialStatus } from "@/components/credential-status";
import { EmptyState } from "@/components/empty-state";
import { Loaded } from "@/components/loaded";
import { RevokeToken } from "@/components/revoke-token";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { CreateTokenDialog } from "@/features/provisioning/create-token-dialog";
import {
  provisioningQuery,
  type ScimToken,
  useRevokeScimToken,
} from "@/features/provisioning/queries";
import { RotateTokenDialog } from "@/features/provisioning/rotate-token-dialog";

/** How an identity provider gets in, and which ones may. */
export function ProvisioningCard() {
  const query = useQuery(provisioningQuery);
  const [creating, setCreating] = useState(false);
  return (
    <SectionCard
      title="Provisioning (SCIM)"
      description="Lets an identity provider create, change, suspend and remove people and groups. Who leaves there is out here at once."
      flush
      actions={
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setCreating(true)}
        >
          Create token
        </Button>
      }
    >
      <Loaded query={query}>
        {({ baseUrl, tokens }) => (
          <>
            <BaseUrl url={baseUrl} />
            {tokens.length === 0 ? (
              <EmptyState icon={IconPlugConnected} title="No identity provider yet">
                Create a token, then give it and the address above to Okta, Entra ID or another
                provider that speaks SCIM 2.0.
              </EmptyState>
            ) : (
              <TokensTable tokens={tokens} />
            )}
            <CreateTokenDialog
              baseUrl={baseUrl}
              opened={creating}
              onClose={() => setCreating(false)}
            />
          </>
        )}
      </Loaded>
    </SectionCard>
  );
}

function BaseUrl({ url }: { url: string }) {
  return (
    <Group px="lg" py="sm" gap="xs" justify="space-between" wrap="nowrap">
      <div style={{ minWidth: 0 }}>
        <Text size="sm" c="dimmed">
          Base address
        </Text>
        <Code style={{ overflowWrap: "anywhere" }}>{url}</Code>
      </div>
      <CopyButton value={url} what="base address" compact />
    </Group>
  );
}

function TokensTable({ tokens }: { tokens: ScimToken[] }) {
  return (
    <Table className="flush-table" aria-label="Provisioning tokens" verticalSpacing={9}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Name</Table.Th>
          <Table.Th scope="col">Last used</Table.Th>
          <Table.Th scope="col" visibleFrom="sm">
            Created
          </Table.Th>
          <Table.Th scope="col" aria-label="Actions" />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {tokens.map((token) => (
          <Table.Tr key={token.id}>
            <Table.Td>
              <Text inherit fw={500} style={{ overflowWrap: "anywhere" }}>
                {token.name}
              </Text>
              <Text size="xs" c="dimmed" className="mono">
                {token.prefix}…
              </Text>
              {token.previousPrefix ? (
                <Text size="xs" c="dimmed">
                  <span className="mono">{token.previousPrefix}…</span> ends{" "}
                  <When at={token.previousExpiresAt} />
                </Text>
              ) : null}
            </Table.Td>
            <Table.Td>
              <When at={token.lastUsedAt} none="Never" />
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <When at={token.createdAt} />
              <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                by {token.createdBy}
              </Text>
            </Table.Td>
            <Table.Td ta="right">
              {token.status === "ACTIVE" ? (
                <TokenActions token={token} />
              ) : (
                <CredentialStatus status={token.status} />
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function TokenActions({ token }: { token: ScimToken }) {
  const revoke = useRevokeScimToken();
  const [rotating, setRotating] = useState(false);
  return (
    <Group gap={4} justify="flex-end">
      <Button
        size="compact-sm"
        variant="subtle"
        onClick={() => setRotating(true)}
        aria-label={`Rotate ${token.name}`}
      >
        Rotate
      </Button>
      <RotateTokenDialog token={token} opened={rotating} onClose={() => setRotating(false)} />
      <RevokeToken
        token={token}
        consequence="The identity provider is refused from now on, and who leaves there stays in here. That can't be undone. People and groups stay as they are."
        onRevoke={() => revoke.mutateAsync(token.id)}
      />
    </Group>
  );
}
