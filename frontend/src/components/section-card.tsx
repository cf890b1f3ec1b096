import { Box, Card, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  /** Beside the title: a badge that tells one card from another like it. */
  mark?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  /** The body brings its own inset, as a table that reaches the card's edges does. */
  flush?: boolean;
  children: ReactNode;
}

export function SectionCard(props: Props) {
  const { title, mark, description, actions, flush = false, children } = props;
  const headingId = useId();
  return (
    <Card component="section" aria-labelledby={headingId} padding={0}>
      <Group
        justify="space-between"
        align="flex-start"
        gap="sm"
        px="lg"
        pt="md"
        pb={flush ? 12 : 0}
      >
        <Stack gap={2} flex={description ? "1 1 200px" : "1 1 100px"}>
          <Group gap="xs">
            <Title order={2} id={headingId}>
              {title}
            </Title>
            {mark}
          </Group>
          {description ? (
            <Text size="sm" c="dimmed" component="div">
              {description}
            </Text>
          ) : null}
        </Stack>
        {actions}
      </Group>
      <Box p={flush ? 0 : "lg"} pt={flush ? 0 : "md"}>
        {children}
      </Box>
    </Card>
  );
}
