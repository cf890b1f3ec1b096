import { Button, Center, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { messageOf } from "@/lib/errors";

interface Props {
  error: unknown;
  onRetry: () => void;
}

/** A page that could not be shown at all. */
export function PageError({ error, onRetry }: Props) {
  return (
    <Center mih="50vh" p="lg">
      <Stack align="center" gap="sm" maw={420} ta="center" role="alert">
        <Title order={1}>This page could not be shown</Title>
        <Text c="dimmed">{messageOf(error)}</Text>
        <Button mt="sm" onClick={onRetry}>
          Try again
        </Button>
        <Button variant="subtle" renderRoot={(props) => <Link to="/" {...props} />}>
          Go to the dashboard
        </Button>
      </Stack>
    </Center>
  );
}
