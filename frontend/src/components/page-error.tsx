import { Button, Center, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ApiError, messageOf } from "@/lib/errors";

interface Props {
  error: unknown;
  onRetry: () => void;
}

/** A page that could not be shown at all. */
export function PageError({ error, onRetry }: Props) {
  // Of the console itself: perhaps a new release is there, without the files that this one asks for.
  const own = !(error instanceof ApiError);
  return (
    <Center mih="50vh" p="lg">
      <Stack align="center" gap="sm" maw={420} ta="center" role="alert">
        <Title order={1}>This page could not be shown</Title>
        <Text c="dimmed">{messageOf(error)}</Text>
        <Button mt="sm" onClick={own ? () => window.location.reload() : onRetry}>
          {own ? "Reload" : "Try again"}
        </Button>
        <Button variant="subtle" renderRoot={(props) => <Link to="/" {...props} />}>
          Go to the dashboard
        </Button>
      </Stack>
    </Center>
  );
}
