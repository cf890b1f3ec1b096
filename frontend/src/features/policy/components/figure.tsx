import { Badge, Text } from "@mantine/core";

interface Props {
  /** "30", "$25.00", "Blocked" or "No limit". */
  text: string;
}

/** A value in force: a block stands out, no limit steps back. */
export function Figure({ text }: Props) {
  if (text === "Blocked") return <Badge color="red">Blocked</Badge>;
  const none = text === "No limit";
  return (
    <Text
      size="sm"
      component="span"
      {...(none ? { c: "dimmed" } : { fw: 600 })}
      style={{ fontVariantNumeric: "tabular-nums" }}
    >
      {text}
    </Text>
  );
}
