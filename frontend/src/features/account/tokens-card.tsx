import { Badge, Button, Group, Table, Text } from "@mantine/core";
import { IconPlus, IconRobot } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CredentialStatus } from "@/components/credential-status";
import { EmptyState } from "@/components/empty-state";
import { Loaded } from "@/components/loaded";
import { RevokeToken } from "@/components/revoke-token";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { CreateTokenDialog } from "@/features/account/create-token-dialog";
import { type Token, tokensQuery, useRevokeToken } from "@/features/account/queries";
import { scopeLabel } from "@/features/account/scopes";

export function TokensCard() {
  const query = useQuery(tokensQuery);
  const [creating, setCreating] = useState(false);
  return (
    <SectionCard
      title="Automation tokens"
      description="For scripts that use the GraphQL API in your name. They can't call models; API keys do that."
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
        {(tokens) =>
          tokens.length === 0 ? (
            <EmptyState icon={IconRobot} title="No tokens yet">
              Create one for a script or a pipeline that reads or changes what the console shows.
            </EmptyState>
          ) : (
            <TokensTable tokens={tokens} />
          )
        }
      </Loaded>
      <CreateTokenDialog opened={creating} onClose={() => setCreating(false)} />
    </SectionCard>
  );
}

function TokensTable({ tokens }: { tokens: Token[] }) {
  return (
    <Table className="flush-table" aria-label="Automation tokens" verticalSpacing={9}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Name</Table.Th>
          <Table.Th scope="col" visibleFrom="sm">
            May touch
          </Table.Th>
          <Table.Th scope="col">Last used</Table.Th>
          <Table.Th scope="col" visibleFrom="sm">
            Expires
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
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <Group gap={4}>
                {token.scopes.map((scope) => (
                  <Badge key={scope} color="gray">
                    {scopeLabel(scope)}
                  </Badge>
                ))}
              </Group>
            </Table.Td>
            <Table.Td>
              <When at={token.lastUsedAt} />
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <When at={token.expiresAt} />
            </Table.Td>
            <Table.Td ta="right">
              {token.status === "ACTIVE" ? (
                <Revoke token={token} />
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

function Revoke({ token }: { token: Token }) {
  const revoke = useRevokeToken();
  return (
    <RevokeToken
      token={token}
      consequence="Scripts that use this token are refused from now on. That can't be undone."
      onRevoke={() => revoke.mutateAsync(token.id)}
    />
  );
}
