import { Anchor, Badge, Group, NativeSelect, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { SearchInput } from "@/components/search-input";
import type { LimitsSearch } from "@/features/limits/search";
import type { Subject } from "@/features/policy/subject";
import type { SourceKind } from "@/gql/graphql";

interface Owner {
  kind: SourceKind;
  subjectId: string;
  name: string;
  email?: string | null;
}

const reach: Record<SourceKind, string> = {
  USER: "Person",
  GROUP: "Each member",
  POOL: "Pool",
  KEY: "API key",
};

/** Whose values they are, leading to where everything about them stands. */
export function OwnerName({ owner }: { owner: Owner }) {
  const { kind, subjectId, name, email } = owner;
  return (
    <>
      <Group gap="0 8px">
        <Anchor
          inherit
          c="inherit"
          fw={500}
          style={{ overflowWrap: "break-word" }}
          renderRoot={(props) =>
            kind === "USER" ? (
              <Link to="/admin/users/$userId" params={{ userId: subjectId }} {...props} />
            ) : (
              <Link to="/admin/groups/$groupId" params={{ groupId: subjectId }} {...props} />
            )
          }
        >
          {name}
        </Anchor>
        <Badge color={kind === "USER" ? "gray" : "tide"}>{reach[kind]}</Badge>
      </Group>
      {email && email !== name ? (
        <Text size="xs" c="dimmed">
          {email}
        </Text>
      ) : null}
    </>
  );
}

export const subjectOf = ({ kind, subjectId, name }: Owner): Subject => ({
  kind: kind === "POOL" ? "pool" : kind === "GROUP" ? "group" : "user",
  id: subjectId,
  name,
});

interface FilterProps {
  state: LimitsSearch;
  onChange: (patch: { q?: string | undefined; kind?: LimitsSearch["kind"] }) => void;
  children?: ReactNode;
}

export function OwnerFilters({ state, onChange, children }: FilterProps) {
  return (
    <Group gap="xs">
      <SearchInput
        label="Search people and groups"
        value={state.q ?? ""}
        onChange={(q) => onChange({ q: q || undefined })}
        flex={{ base: "1 1 100%", sm: "0 1 260px" }}
      />
      <NativeSelect
        aria-label="Whose"
        flex={{ base: "1 1 0", sm: "0 0 auto" }}
        data={[
          { value: "", label: "Everybody" },
          { value: "USER", label: "People" },
          { value: "GROUP", label: "Groups, each member" },
          { value: "POOL", label: "Pools" },
        ]}
        value={state.kind ?? ""}
        onChange={({ currentTarget: { value } }) =>
          onChange({ kind: (value || undefined) as LimitsSearch["kind"] })
        }
      />
      {children}
    </Group>
  );
}
