import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconChevronLeft } from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Props {
  title: string;
  description?: ReactNode;
  badges?: ReactNode;
  actions?: ReactNode;
  back?: { to: LinkProps["to"]; label: string };
}

export function PageHeader({ title, description, badges, actions, back }: Props) {
  useDocumentTitle(`${title} · Sluicegate`);
  return (
    <Stack gap={6}>
      {back ? (
        <Anchor
          size="sm"
          c="dimmed"
          w="fit-content"
          renderRoot={(props) => <Link to={back.to} {...props} />}
        >
          <Group gap={2} wrap="nowrap">
            <IconChevronLeft size={14} aria-hidden />
            {back.label}
          </Group>
        </Anchor>
      ) : null}
      <Group justify="space-between" align="flex-start" gap="md">
        <Stack gap={2} miw={0} flex="1 1 260px">
          <Group gap="sm">
            <Title order={1} style={{ overflowWrap: "anywhere" }}>
              {title}
            </Title>
            {badges}
          </Group>
          {description ? (
            <Text c="dimmed" size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
              {description}
            </Text>
          ) : null}
        </Stack>
        {actions ? <Group gap="xs">{actions}</Group> : null}
      </Group>
    </Stack>
  );
}
