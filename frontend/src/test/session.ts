import type { SessionQuery } from "@/gql/graphql";

export function mockSession(user: Partial<SessionQuery["viewer"]["user"]> = {}): SessionQuery {
  const whole = {
    id: "user-1",
    email: "ada@example.com",
    name: "Ada Lovelace",
    role: "MEMBER" as const,
    ...user,
  };
  return {
    viewer: { isAdmin: whole.role === "ADMIN", user: whole },
    deployment: {
      version: "0.1.0",
      publicUrl: "https://gate.example.com",
      timeZone: "UTC",
      mailConfigured: false,
    },
  };
}
