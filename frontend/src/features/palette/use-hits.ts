import { useDebouncedValue } from "@mantine/hooks";
import { type Icon, IconBolt, IconUser, IconUsersGroup } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { paletteQuery } from "@/features/palette/queries";
import { useSession } from "@/features/session/queries";
import { accountEntry } from "@/features/shell/navigation";
import { useNavigation } from "@/features/shell/use-navigation";

export interface Hit {
  id: string;
  label: string;
  hint: string;
  icon: Icon;
  to: string;
  params?: Record<string, string>;
}

export interface HitGroup {
  label: string;
  hits: Hit[];
}

const pause = 150;

/** What the words typed so far lead to: pages at once, and for administrators what the server finds. */
export function useHits(text: string): { groups: HitGroup[]; searching: boolean } {
  const { isAdmin } = useSession().viewer;
  const sought = text.trim();
  const [settled] = useDebouncedValue(sought, pause);
  const query = useQuery(paletteQuery(isAdmin ? settled : ""));
  const pages = usePages(sought);
  const found = isAdmin && sought !== "" ? query.data : undefined;

  const groups: HitGroup[] = [
    { label: "Pages", hits: pages },
    {
      label: "Users",
      hits: nodesOf(found?.users).map(({ id, name, email }) => ({
        id,
        label: name || email,
        hint: name ? email : "Invited",
        icon: IconUser,
        to: "/admin/users/$userId",
        params: { userId: id },
      })),
    },
    {
      label: "Groups",
      hits: nodesOf(found?.groups).map(({ id, name, description }) => ({
        id,
        label: name,
        hint: description,
        icon: IconUsersGroup,
        to: "/admin/groups/$groupId",
        params: { groupId: id },
      })),
    },
    {
      label: "Models",
      hits: nodesOf(found?.models).map(({ id, slug, displayName }) => ({
        id,
        label: slug,
        hint: displayName,
        icon: IconBolt,
        to: "/admin/models/$modelId",
        params: { modelId: id },
      })),
    },
  ];
  return {
    groups: groups.filter(({ hits }) => hits.length > 0),
    searching: isAdmin && sought !== "" && (query.isFetching || settled !== sought),
  };
}

/** Pages whose name begins with what is sought come first, then those whose name has it, then those that are about it. */
function usePages(sought: string): Hit[] {
  const whole = sought.toLowerCase();
  const words = whole.split(/\s+/);
  const sections = useNavigation();
  return [...sections, { label: "You", entries: [accountEntry] }]
    .flatMap(({ label: section, entries }) => entries.map((entry) => ({ ...entry, section })))
    .filter(({ section, label, hint }) => {
      const text = `${section} ${label} ${hint}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map((entry) => ({ ...entry, name: entry.label.toLowerCase() }))
    .sort((one, other) => rankOf(one.name, whole) - rankOf(other.name, whole))
    .map(({ label, hint, icon, path }) => ({ id: path, label, hint, icon, to: path }));
}

function rankOf(name: string, sought: string): number {
  if (name.startsWith(sought)) return 0;
  return name.includes(sought) ? 1 : 2;
}

const nodesOf = <Node>(connection: { edges: { node: Node }[] } | undefined): Node[] =>
  connection?.edges.map(({ node }) => node) ?? [];
