import type { SubjectInput } from "@/gql/graphql";

/** Whom policy is set for; a pool is what all members of a group draw from together, and has the group's id. */
export interface Subject {
  kind: "user" | "group" | "pool";
  id: string;
  /** For sentences: "Ada Lovelace", "Contractors". */
  name: string;
}

export const toSubjectInput = (subject: Subject): SubjectInput =>
  subject.kind === "user" ? { userId: subject.id } : { groupId: subject.id };
