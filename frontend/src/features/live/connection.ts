import type { Picture } from "@/features/live/picture";

/** `message` says why there is no stream, where the server said so. */
export type LiveState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "reconnecting"; message: string | null }
  | { kind: "signedOut" };

interface Listener {
  onPicture: (picture: Picture) => void;
  onState: (state: LiveState) => void;
}

/** The server tells at least every ten seconds that it is there. */
const silence = 25_000;
const slowest = 30_000;

/** Keeps a stream open until it is closed, and tries again ever more slowly while it can't. */
export function connectLive(address: string, { onPicture, onState }: Listener): () => void {
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let closed = false;

  function drop(): void {
    clearTimeout(watchdog);
    source?.close();
    source = null;
  }

  function again(message: string | null): void {
    drop();
    if (closed) return;
    onState({ kind: "reconnecting", message });
    failures += 1;
    // Not all consoles at the same instant, when a server comes back.
    const wait = Math.min(slowest, 500 * 2 ** failures) * (0.75 + Math.random() / 2);
    clearTimeout(retry);
    retry = setTimeout(open, wait);
  }

  function heard(): void {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => again(null), silence);
  }

  function open(): void {
    drop();
    const opened = new EventSource(address);
    source = opened;
    heard();
    opened.addEventListener("picture", ({ data }) => {
      failures = 0;
      heard();
      onState({ kind: "live" });
      onPicture(JSON.parse(data) as Picture);
    });
    opened.addEventListener("heartbeat", heard);
    opened.addEventListener("end", ({ data }) => {
      const { reason } = JSON.parse(data) as { reason: string };
      if (reason !== "signed_out") return again(null);
      drop();
      onState({ kind: "signedOut" });
    });
    opened.addEventListener("error", () => {
      // An EventSource gives up for good on an answer that is no stream, and does not tell what it was.
      const refused = opened.readyState === EventSource.CLOSED;
      drop();
      if (!refused) return again(null);
      void whyNot(address).then((answer) => {
        if (closed) return;
        if (answer?.status !== 401 && answer?.status !== 403) return again(answer?.message ?? null);
        onState({ kind: "signedOut" });
      });
    });
  }

  onState({ kind: "connecting" });
  open();
  return () => {
    closed = true;
    clearTimeout(retry);
    drop();
  };
}

/** The refusal that the address is answered with; null when there is none any more, or nobody answers. */
async function whyNot(address: string): Promise<{ status: number; message: string | null } | null> {
  const abort = new AbortController();
  try {
    const response = await fetch(address, { credentials: "same-origin", signal: abort.signal });
    if (response.ok) return null;
    const { error } = (await response.json()) as { error?: { message?: string } };
    return { status: response.status, message: error?.message ?? null };
  } catch {
    return null;
  } finally {
    abort.abort();
  }
}
