import { createFileRoute } from "@tanstack/react-router";
import { WelcomePage } from "@/features/entry/welcome-page";

export const Route = createFileRoute("/welcome/$token")({
  component: function Welcome() {
    return <WelcomePage token={Route.useParams().token} kind="invite" />;
  },
});
