import { createFileRoute } from "@tanstack/react-router";
import { UsersPage } from "@/features/users/page";
import { userListSearch } from "@/features/users/search";

export const Route = createFileRoute("/_app/admin/users/")({
  validateSearch: userListSearch,
  component: UsersPage,
});
