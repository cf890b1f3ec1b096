import { Group, Stack, Text } from "@mantine/core";
import { CredentialStatus } from "@/components/credential-status";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { KeyActions } from "@/features/keys/components/key-actions";
import { KeyNarrowing } from "@/features/policy/components/key-narrowing";
import { type UserApiKey, type UserDetail, userName } from "@/features/users/queries";
import { keys } from "@/lib/query-keys";

interface Props {
  user: UserDetail;
}

/** What an administrator may see of somebody else's keys: everything but the secret. */
export function UserKeysCard({ user }: Props) {
  return (
    <SectionCard
      title="API keys"
      description="Only the owner can create keys; you can narrow and revoke them."
    >
      {user.apiKeys.length === 0 ? (
        <Text size="sm" c="dimmed">
          No keys yet.
        </Text>
      ) : (
        <Stack component="ul" gap="md" m={0} p={0} aria-label="API keys">
          {user.apiKeys.map((key) => (
            <KeyLine key={key.id} apiKey={key} owner={user} />
          ))}
        </Stack>
      )}
    </SectionCard>
  );
}

function KeyLine({ apiKey, owner }: { apiKey: UserApiKey; owner: UserDetail }) {
  return (
    <Group
      component="li"
      justify="space-between"
      align="flex-start"
      wrap="nowrap"
      style={{ listStyle: "none" }}
    >
      <div style={{ minWidth: 0 }}>
        <Group gap={8}>
          <Text size="sm" fw={500} style={{ overflowWrap: "anywhere" }}>
            {apiKey.name || "Unnamed key"}
          </Text>
          {apiKey.status === "ACTIVE" ? null : <CredentialStatus status={apiKey.status} />}
        </Group>
        <Text size="xs" className="mono" c="dimmed">
          {apiKey.prefix}…
        </Text>
        <Text size="xs" c="dimmed">
          <Dates apiKey={apiKey} />
        </Text>
        {apiKey.previousExpiresAt ? (
          <Text size="xs" c="dimmed">
            The secret before, {apiKey.previousPrefix}…, works until{" "}
            <When at={apiKey.previousExpiresAt} />
          </Text>
        ) : null}
        <KeyNarrowing {...apiKey} models={apiKey.models ?? null} />
      </div>
      <KeyActions
        apiKey={apiKey}
        ownerId={owner.id}
        refresh={keys.user(owner.id)}
        isOwn={false}
        consequence={`Calls with this key of ${userName(owner)} are refused with 401 from the next one on. This can't be undone; ${userName(owner)} can create a new key.`}
      />
    </Group>
  );
}

function Dates({ apiKey }: { apiKey: UserApiKey }) {
  const used = apiKey.lastUsedAt ? (
    <>
      Used <When at={apiKey.lastUsedAt} />
      {apiKey.lastUsedClient ? ` by ${apiKey.lastUsedClient}` : ""}
    </>
  ) : (
    "Never used"
  );
  if (apiKey.revokedAt) {
    return (
      <>
        {used} · revoked <When at={apiKey.revokedAt} />
      </>
    );
  }
  return (
    <>
      {used}
      {apiKey.expiresAt ? (
        <>
          {apiKey.status === "EXPIRED" ? " · expired " : " · expires "}
          <When at={apiKey.expiresAt} />
        </>
      ) : null}
    </>
  );
}
