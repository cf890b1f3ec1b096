import { useDocumentVisibility } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { connectLive, type LiveState } from "@/features/live/connection";
import type { Picture } from "@/features/live/picture";
import { keys } from "@/lib/query-keys";

export interface Live {
  state: LiveState | { kind: "paused" };
  /** The last one that came; it stays while the stream is away. */
  picture: Picture | undefined;
  /** Milliseconds since 1970 by the server's clock; stands still with the picture. */
  now: number;
  paused: boolean;
  setPaused: (paused: boolean) => void;
}

/** Watches while the page can be seen and nobody has paused it. */
export function useLive(everyone: boolean): Live {
  const queryClient = useQueryClient();
  const hidden = useDocumentVisibility() === "hidden";
  const [paused, setPaused] = useState(false);
  const [state, setState] = useState<LiveState>({ kind: "connecting" });
  const [latest, setLatest] = useState<{ picture: Picture; ahead: number }>();
  const [clock, setClock] = useState(Date.now);
  const watching = !paused && !hidden;

  useEffect(() => {
    if (!watching) return;
    return connectLive(`/events/live${everyone ? "?everyone=true" : ""}`, {
      onPicture: (picture) => setLatest({ picture, ahead: Date.parse(picture.at) - Date.now() }),
      onState: (next) => {
        setState(next);
        // The session's own query knows the way to the sign-in page.
        if (next.kind === "signedOut")
          void queryClient.invalidateQueries({ queryKey: keys.session });
      },
    });
  }, [watching, everyone, queryClient]);

  const live = watching && state.kind === "live";
  useEffect(() => {
    if (!live) return;
    setClock(Date.now());
    const timer = setInterval(() => setClock(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [live]);

  return {
    state: paused ? { kind: "paused" } : state,
    picture: latest?.picture,
    now: Math.max(clock + (latest?.ahead ?? 0), latest ? Date.parse(latest.picture.at) : 0),
    paused,
    setPaused,
  };
}
