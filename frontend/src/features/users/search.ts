import * as z from "zod/mini";

/** What of the list the address holds; anything unknown in a link is ignored. */
export const userListSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
  role: z.catch(z.optional(z.enum(["ADMIN", "MEMBER"])), undefined),
  status: z.catch(z.optional(z.enum(["ACTIVE", "INVITED", "SUSPENDED"])), undefined),
  sort: z.catch(
    z.optional(z.enum(["NAME_ASC", "NAME_DESC", "CREATED_ASC", "CREATED_DESC"])),
    undefined,
  ),
});

export type UserListSearch = z.infer<typeof userListSearch>;
