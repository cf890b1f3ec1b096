import { createFileRoute } from "@tanstack/react-router";
import { usageSearch } from "@/features/usage/search";
import { UserPage } from "@/features/users/user-page";

export const Route = createFileRoute("/_app/admin/users/$userId")({
  validateSearch: usageSearch,
  component: function UserRoute() {
    const { userId } = Route.useParams();
    return <UserPage key={userId} userId={userId} />;
  },
});
