import { createFileRoute } from "@tanstack/react-router";
import { WelcomePage } from "@/features/entry/welcome-page";

export const Route = createFileRoute("/reset/$token")({
  component: function Reset() {
    return <WelcomePage token={Route.useParams().token} kind="reset" />;
  },
});
