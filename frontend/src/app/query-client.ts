import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { hasCode, isTransient } from "@/lib/errors";
import { notifyFailure } from "@/lib/notify";

declare module "@tanstack/react-query" {
  interface Register {
    mutationMeta: {
      /** The caller shows the refusal itself, at a form's fields or inside a dialog. */
      shownInPlace?: boolean;
    };
  }
}

const attempts = 2;

/** `onSignedOut` learns whether it was a change that the server refused, which somebody may want to send again. */
export function createQueryClient(onSignedOut: (changing: boolean) => void): QueryClient {
  const leaveIfSignedOut = (error: unknown, changing: boolean): boolean => {
    const signedOut = hasCode(error, "unauthenticated");
    if (signedOut) onSignedOut(changing);
    return signedOut;
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: (error) => leaveIfSignedOut(error, false) }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _result, mutation) => {
        if (!leaveIfSignedOut(error, true) && !mutation.meta?.shownInPlace) notifyFailure(error);
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (count, error) => count < attempts && isTransient(error),
      },
    },
  });
}
