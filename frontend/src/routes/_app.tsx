import { createFileRoute } from "@tanstack/react-router";
import { requireSession } from "@/features/session/queries";
import { Shell } from "@/features/shell/shell";

export const Route = createFileRoute("/_app")({
  beforeLoad: ({ context, location }) => requireSession(context.queryClient, location.href),
  component: Shell,
});
