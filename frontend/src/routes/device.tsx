import { createFileRoute } from "@tanstack/react-router";
import * as z from "zod/mini";
import { DevicePage } from "@/features/device/page";
import { requireSession } from "@/features/session/queries";

export const Route = createFileRoute("/device")({
  validateSearch: z.object({ user_code: z.catch(z.optional(z.string()), undefined) }),
  beforeLoad: ({ context, location }) => requireSession(context.queryClient, location.href),
  component: function Device() {
    return <DevicePage userCode={Route.useSearch().user_code} />;
  },
});
