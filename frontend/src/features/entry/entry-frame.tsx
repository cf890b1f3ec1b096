import { Box, Card, Center, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Brand } from "@/components/brand";

interface Props {
  title: string;
  description?: ReactNode;
  children: ReactNode;
}

/** The pages that stand outside the console: one card in the middle. */
export function EntryFrame({ title, description, children }: Props) {
  useDocumentTitle(`${title} · Sluicegate`);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={400} gap="lg" pb="10vh">
        <Box mx="auto">
          <Brand />
        </Box>
        <Card padding="xl" shadow="xs">
          <Stack gap="lg">
            <Stack gap={4}>
              <Title order={1}>{title}</Title>
              {description ? (
                <Text size="sm" c="dimmed" component="div" style={{ overflowWrap: "anywhere" }}>
                  {description}
                </Text>
              ) : null}
            </Stack>
            {children}
          </Stack>
        </Card>
      </Stack>
    </Center>
  );
}

/** The same card until it is known what it asks for: about so many fields and a button. */
export function EntryLoading({ title, fields = 1 }: { title: string; fields?: number }) {
  return (
    <EntryFrame title={title}>
      <Stack role="status" aria-label="Loading">
        {Array.from({ length: fields }, (_, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike and stay where they are
          <Skeleton key={place} height={56} />
        ))}
        <Skeleton height={36} />
      </Stack>
    </EntryFrame>
  );
}
