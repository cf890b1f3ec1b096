import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { safeNext } from "@/features/session/queries";
import { requestOk } from "@/lib/http";

/** Goes on into the console with the session that the server has just opened. */
export function useEnter(): (next?: string) => void {
  const router = useRouter();
  const queryClient = useQueryClient();
  return (next) => {
    queryClient.clear();
    router.history.push(safeNext(next));
  };
}

export function useSignOut(): () => Promise<void> {
  const router = useRouter();
  const queryClient = useQueryClient();
  return async () => {
    await requestOk("POST", "/auth/sign-out");
    await router.navigate({ to: "/sign-in", search: {}, ignoreBlocker: true });
    queryClient.clear();
  };
}
