import { useRouter } from "@tanstack/react-router";
import { useSession } from "@/features/session/queries";
import { navigation } from "@/features/shell/navigation";

/** The sections and entries that this person may see and that this build has. */
export function useNavigation(): typeof navigation {
  const { viewer } = useSession();
  const { routesByPath } = useRouter();
  return navigation
    .filter(({ role }) => role === "MEMBER" || viewer.isAdmin)
    .map((section) => ({
      ...section,
      entries: section.entries.filter(({ path }) => path in routesByPath),
    }))
    .filter(({ entries }) => entries.length > 0);
}
