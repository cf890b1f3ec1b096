import { Box, Code } from "@mantine/core";
import { CopyButton } from "@/components/copy-button";

interface Props {
  code: string;
  /** What the block holds, for the copy button's name and for screen readers. */
  what: string;
}

export function CodeBlock({ code, what }: Props) {
  return (
    <Box pos="relative">
      <Code
        block
        p="sm"
        pr={48}
        fz="xs"
        lh={1.6}
        bg="var(--sg-surface)"
        bd="1px solid var(--mantine-color-default-border)"
        tabIndex={0}
        role="region"
        aria-label={what}
      >
        {code}
      </Code>
      <Box pos="absolute" top={7} right={7} bg="var(--sg-surface)">
        <CopyButton value={code} what={what} compact />
      </Box>
    </Box>
  );
}
