import { Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Confirmed } from "@/components/confirm-dialog";
import { LoadFailure } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { LinesSkeleton } from "@/components/skeletons";
import { When } from "@/components/when";
import {
  type Identity,
  type UserSignIn,
  userSignInQuery,
  useUnlinkIdentity,
} from "@/features/sso/queries";
import { type UserDetail, userName } from "@/features/users/queries";
import type { SignInWay } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";

const ways: Record<SignInWay, string> = {
  PASSWORD: "with a password",
  LINK: "with a one-time link",
  SSO: "by single sign-on",
};

/** How somebody last came in, and the accounts elsewhere that let them in. */
export function UserSignInCard({ user }: { user: UserDetail }) {
  const query = useQuery(userSignInQuery(user.id));
  return (
    <SectionCard title="Sign-in">
      {query.data ? (
        <Loaded user={user} signIn={query.data} />
      ) : query.isError ? (
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <LinesSkeleton rows={2} />
      )}
    </SectionCard>
  );
}

function Loaded({ user, signIn }: { user: UserDetail; signIn: UserSignIn }) {
  const { lastSignIn, identities } = signIn;
  return (
    <Stack gap="sm">
      <Text size="sm">
        {lastSignIn ? (
          <>
            Last signed in <When at={lastSignIn.at} /> {ways[lastSignIn.way]}
          </>
        ) : (
          "How this person last signed in is not known yet."
        )}
      </Text>
      {identities.length === 0 ? (
        <Text size="sm" c="dimmed">
          No account of an identity provider is linked.
        </Text>
      ) : (
        <Stack component="ul" gap="sm" m={0} p={0} aria-label="Linked identities">
          {identities.map((identity) => (
            <Linked key={identity.id} user={user} identity={identity} />
          ))}
        </Stack>
      )}
    </Stack>
  );
}

function Linked({ user, identity }: { user: UserDetail; identity: Identity }) {
  const unlink = useUnlinkIdentity();
  const name = userName(user);
  return (
    <Group component="li" justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
      <Stack gap={0} style={{ overflowWrap: "anywhere", minWidth: 0 }}>
        <Text size="sm" fw={500}>
          {identity.email}
        </Text>
        <Text size="xs" c="dimmed">
          {identity.subject} at {identity.issuer}
        </Text>
        <Text size="xs" c="dimmed">
          Linked <When at={identity.linkedAt} />, last used <When at={identity.lastUsedAt} />
        </Text>
      </Stack>
      <Confirmed
        title={`Unlink this identity from ${name}?`}
        consequence="It lets nobody in here any more, and all sessions of this person end. It can be linked again by a verified e-mail address: suspend the user to keep somebody out."
        confirmLabel="Unlink"
        onConfirm={async () => {
          await unlink.mutateAsync(identity.id);
          notifySuccess(`The identity is unlinked from ${name}.`);
        }}
        trigger={(ask) => (
          <Button
            size="compact-sm"
            variant="subtle"
            color="red"
            aria-label={`Unlink ${identity.email}`}
            onClick={ask}
          >
            Unlink
          </Button>
        )}
      />
    </Group>
  );
}
