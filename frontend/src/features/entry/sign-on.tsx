import { Button, type ButtonProps } from "@mantine/core";
import { queryOptions } from "@tanstack/react-query";
import * as z from "zod/mini";
import { safeNext } from "@/features/session/queries";
import { requestOk } from "@/lib/http";
import { keys } from "@/lib/query-keys";

const waysSchema = z.object({ enabled: z.boolean(), label: z.string(), passwords: z.boolean() });

/** What people may sign in with. */
export const waysQuery = queryOptions({
  queryKey: keys.entryWays,
  queryFn: async () => waysSchema.parse(await requestOk("GET", "/auth/sso")),
});

interface Props extends Pick<ButtonProps, "variant"> {
  label: string;
  next?: string | undefined;
}

/** Leaves the console for the identity provider, which sends the browser back. */
export function SignOnButton({ label, next, variant = "default" }: Props) {
  const page = safeNext(next);
  const query = page === "/" ? "" : `?${new URLSearchParams({ next: page })}`;
  return (
    <Button component="a" href={`/auth/sso/start${query}`} variant={variant} fullWidth>
      Sign in with {label}
    </Button>
  );
}

const problems: Record<string, string> = {
  off: "Single sign-on is off here.",
  cancelled: "You cancelled signing in, or may not use this application at the identity provider.",
  expired: "That took too long, or was begun in another tab or browser. Sign in again.",
  changed: "Something changed while you signed in. Sign in again.",
  unreachable: "The identity provider can't be reached at the moment. Try again in a while.",
  no_email: "The identity provider tells no e-mail address of yours. Ask an administrator.",
  unverified:
    "Your e-mail address is not verified at the identity provider. Verify it there, or ask an administrator.",
  no_account: "There is no account for you here. Ask an administrator to invite you.",
  domain: "No account is made for e-mail addresses like yours. Ask an administrator to invite you.",
  suspended: "Your account is suspended. Ask an administrator.",
  other_identity:
    "The account with your e-mail address is linked to another identity. Ask an administrator.",
  throttled: "Too many tries. Wait five minutes, then try again.",
};

/** What came of a sign-in that failed; the server gives no more than its kind. */
export const problemOf = (kind: string): string =>
  problems[kind] ?? "The identity provider's answer can't be used. Ask an administrator.";
