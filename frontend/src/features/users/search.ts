import * as z from "zod/mini";

const orders = ["NAME", "CREATED", "LAST_ACTIVE", "ROLE", "STATUS"] as const;
const sorts = orders.flatMap((order) => [`${order}_ASC`, `${order}_DESC`] as const);

/** What of the list the address holds; anything unknown in a link is ignored. */
export const userListSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
  role: z.catch(z.optional(z.enum(["ADMIN", "MEMBER"])), undefined),
  status: z.catch(z.optional(z.enum(["ACTIVE", "INVITED", "SUSPENDED"])), undefined),
  group: z.catch(z.optional(z.string()), undefined),
  sort: z.catch(z.optional(z.enum(sorts)), undefined),
});

export type UserListSearch = z.infer<typeof userListSearch>;
