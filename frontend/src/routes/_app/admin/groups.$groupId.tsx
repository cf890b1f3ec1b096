import { createFileRoute } from "@tanstack/react-router";
import { GroupPage } from "@/features/groups/group-page";
import { usageSearch } from "@/features/usage/search";

export const Route = createFileRoute("/_app/admin/groups/$groupId")({
  validateSearch: usageSearch,
  component: function GroupRoute() {
    const { groupId } = Route.useParams();
    return <GroupPage key={groupId} groupId={groupId} />;
  },
});
