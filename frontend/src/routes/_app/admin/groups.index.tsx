import { createFileRoute } from "@tanstack/react-router";
import { GroupsPage } from "@/features/groups/page";
import { groupListSearch } from "@/features/groups/search";

export const Route = createFileRoute("/_app/admin/groups/")({
  validateSearch: groupListSearch,
  component: GroupsPage,
});
