/** What the server tells of this moment, once a second at most; see `services/live.py`. */
export interface Picture {
  at: string;
  everyone: boolean;
  /** Redis is away: there may be calls at other servers. */
  alone: boolean;
  /** All calls in flight, of which `calls` are those that began first. */
  inFlight: number;
  calls: CallInFlight[];
  rates: { requests: Rate; inputTokens: Rate; outputTokens: Rate; refusals: Rate | null };
  nearest: NearLimit[];
  refused: RefusedCall[];
}

export interface Rate {
  second: number;
  minute: number;
}

export interface CallInFlight {
  id: string;
  userId: string;
  user: string;
  keyId: string;
  key: string;
  model: string;
  provider: string | null;
  providerModel: string | null;
  clientApp: string | null;
  project: string | null;
  startedAt: string;
  streamed: boolean;
  inputTokens: number;
  outputTokens: number | null;
}

export interface NearLimit {
  kind: "USER" | "POOL" | "KEY";
  id: string;
  name: string;
  uses: { dimension: string; used: number; limit: number }[];
}

export interface RefusedCall {
  at: string;
  count: number;
  userId: string | null;
  user: string | null;
  keyId: string | null;
  key: string | null;
  model: string | null;
  status: number;
  code: string;
  message: string;
  retryAfter: number | null;
}

/** "4 s", "3 min 20 s", "1 h 5 min": how long ago, or for how long, as a clock beside it would count. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
