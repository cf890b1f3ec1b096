import { createFileRoute } from "@tanstack/react-router";
import * as z from "zod/mini";
import { SignInPage } from "@/features/entry/sign-in-page";

export const Route = createFileRoute("/sign-in")({
  validateSearch: z.object({
    next: z.catch(z.optional(z.string()), undefined),
    problem: z.catch(z.optional(z.string()), undefined),
  }),
  component: SignInPage,
});
