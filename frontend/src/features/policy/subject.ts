import type { SubjectInput } from "@/gql/graphql";

/** Whom policy is set for. */
export interface Subject {
  kind: "user" | "group";
  id: string;
  /** For sentences: "Ada Lovelace", "Contractors". */
  name: string;
}

export const toSubjectInput = (subject: Subject): SubjectInput =>
  subject.kind === "user" ? { userId: subject.id } : { groupId: subject.id };
