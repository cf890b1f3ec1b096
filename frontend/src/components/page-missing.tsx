import { Button, Center, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";

interface Props {
  title?: string;
  children?: string;
}

export function PageMissing({
  title = "There is nothing here",
  children = "The address may be mistyped, or what it named has been deleted.",
}: Props) {
  return (
    <Center mih="50vh" p="lg">
      <Stack align="center" gap="sm" maw={420} ta="center">
        <Title order={1}>{title}</Title>
        <Text c="dimmed">{children}</Text>
        <Button mt="sm" variant="default" renderRoot={(props) => <Link to="/" {...props} />}>
          Go to the dashboard
        </Button>
      </Stack>
    </Center>
  );
}
