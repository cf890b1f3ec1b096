import { Stack, Text, ThemeIcon } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface Props {
  icon: Icon;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** An empty list says why it is empty and what to do next. */
export function EmptyState({ icon: Glyph, title, children, action }: Props) {
  return (
    <Stack align="center" gap={6} py={40} px="lg" ta="center">
      <ThemeIcon variant="light" color="gray" size={40} radius="md" mb={6}>
        <Glyph size={20} stroke={1.6} aria-hidden />
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="dimmed" maw={420}>
        {children}
      </Text>
      {action ? <div style={{ marginTop: 10 }}>{action}</div> : null}
    </Stack>
  );
}
