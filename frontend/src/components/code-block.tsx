import { Box, Code, Group } from "@mantine/core";
import { CopyButton } from "@/components/copy-button";

interface Props {
  code: string;
  /** What the block holds, for the copy button's name and for screen readers. */
  what: string;
}

export function CodeBlock({ code, what }: Props) {
  return (
    // The button stands beside what scrolls, so that it never covers any of it.
    <Group
      wrap="nowrap"
      align="flex-start"
      gap={0}
      bg="var(--sg-surface)"
      bd="1px solid var(--mantine-color-default-border)"
      bdrs="sm"
    >
      <Code
        block
        p="sm"
        fz="xs"
        lh={1.6}
        flex="1 1 0"
        miw={0}
        bg="transparent"
        tabIndex={0}
        role="region"
        aria-label={what}
      >
        {code}
      </Code>
      <Box p={6} flex="none">
        <CopyButton value={code} what={what} compact />
      </Box>
    </Group>
  );
}
