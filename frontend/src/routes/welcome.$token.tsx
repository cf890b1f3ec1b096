import { createFileRoute } from "@tanstack/react-router";
import { WelcomePage } from "@/features/entry/welcome-page";

export const Route = createFileRoute("/welcome/$token")({
  component: WelcomePage,
});
