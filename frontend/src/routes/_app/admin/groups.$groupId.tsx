import { createFileRoute } from "@tanstack/react-router";
import { GroupPage } from "@/features/groups/group-page";

export const Route = createFileRoute("/_app/admin/groups/$groupId")({
  component: function GroupRoute() {
    const { groupId } = Route.useParams();
    return <GroupPage key={groupId} groupId={groupId} />;
  },
});
