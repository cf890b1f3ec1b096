import { createFileRoute } from "@tanstack/react-router";
import { UserPage } from "@/features/users/user-page";

export const Route = createFileRoute("/_app/admin/users/$userId")({
  component: function UserRoute() {
    const { userId } = Route.useParams();
    return <UserPage key={userId} userId={userId} />;
  },
});
