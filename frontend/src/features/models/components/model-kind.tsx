import { Input, SegmentedControl } from "@mantine/core";
import type { ModelKind } from "@/gql/graphql";

const kinds: { value: ModelKind; label: string }[] = [
  { value: "CHAT", label: "Chat" },
  { value: "EMBEDDING", label: "Embedding" },
];

export const modelKindLabel = (kind: ModelKind): string => (kind === "CHAT" ? "Chat" : "Embedding");

interface Props {
  value?: ModelKind;
  onChange?: (kind: ModelKind) => void;
}

export function ModelKindInput({ value = "CHAT", onChange }: Props) {
  return (
    <Input.Wrapper label="Kind" labelElement="div">
      <SegmentedControl
        aria-label="Kind"
        data={kinds}
        value={value}
        onChange={(kind) => onChange?.(kind as ModelKind)}
        display="flex"
        w="fit-content"
        mt={4}
      />
    </Input.Wrapper>
  );
}
