import { Badge } from "@mantine/core";
import { isServed, type ListedModel } from "@/features/models/queries";
import type { ModelStatus } from "@/gql/graphql";

export const statusChoices: { value: ModelStatus; label: string }[] = [
  { value: "DRAFT", label: "Draft" },
  { value: "ACTIVE", label: "Active" },
  { value: "DISABLED", label: "Disabled" },
];

/** An active model that nothing answers for says so. */
export function ModelStatusBadge({ model }: { model: Pick<ListedModel, "status" | "backends"> }) {
  if (model.status === "DRAFT") return <Badge color="gray">Draft</Badge>;
  if (model.status === "DISABLED") return <Badge color="gray">Disabled</Badge>;
  return isServed(model) ? (
    <Badge color="green">Active</Badge>
  ) : (
    <Badge color="orange">Active, not served</Badge>
  );
}
