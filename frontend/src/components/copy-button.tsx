import { ActionIcon, Button, CopyButton as MantineCopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

interface Props {
  value: string;
  /** What is copied, for the button's name: "Copy key". */
  what: string;
  compact?: boolean;
}

export function CopyButton({ value, what, compact = false }: Props) {
  return (
    <MantineCopyButton value={value} timeout={1500}>
      {({ copied, copy }) => {
        const Glyph = copied ? IconCheck : IconCopy;
        const label = copied ? "Copied" : `Copy ${what}`;
        return compact ? (
          <Tooltip label={label}>
            <ActionIcon aria-label={label} onClick={copy}>
              <Glyph size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Button
            variant="default"
            leftSection={<Glyph size={16} aria-hidden />}
            onClick={copy}
            miw={96}
          >
            {label}
          </Button>
        );
      }}
    </MantineCopyButton>
  );
}
