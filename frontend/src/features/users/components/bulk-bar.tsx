import { Button, Group, Menu, Paper, Text, Transition } from "@mantine/core";
import {
  IconCubePlus,
  IconDots,
  IconTrash,
  IconUserCheck,
  IconUserPause,
  IconUsersMinus,
  IconUsersPlus,
  IconX,
} from "@tabler/icons-react";
import { type ComponentType, lazy, Suspense, useState } from "react";
import { countOf, type Selected } from "@/features/users/bulk";
import type { BulkProps } from "@/features/users/components/bulk-run";
import { plural } from "@/lib/numbers";
import classes from "./bulk-bar.module.css";

const group = () => import("@/features/users/components/bulk-group");
const status = () => import("@/features/users/components/bulk-status");

// The dialogs come when they are opened.
const dialogs = {
  add: lazy(async () => ({ default: (await group()).BulkAddToGroup })),
  remove: lazy(async () => ({ default: (await group()).BulkRemoveFromGroup })),
  grant: lazy(async () => ({
    default: (await import("@/features/users/components/bulk-grant")).BulkGrant,
  })),
  suspend: lazy(async () => ({ default: (await status()).BulkSuspend })),
  reactivate: lazy(async () => ({ default: (await status()).BulkReactivate })),
  delete: lazy(async () => ({ default: (await status()).BulkDelete })),
} satisfies Record<string, ComponentType<BulkProps>>;

interface Props {
  selected: Selected;
  /** Offered while every loaded row is ticked and more match. */
  everybody?: { count: number; onSelect: () => void } | undefined;
  /** The selection has served its purpose. */
  onDone: () => void;
}

/** What can be done with everybody who is selected; floats over the list. */
export function BulkBar({ selected, everybody, onDone }: Props) {
  const [action, setAction] = useState<keyof typeof dialogs | null>(null);
  const Dialog = action === null ? null : dialogs[action];
  return (
    <>
      <Transition mounted={countOf(selected) > 0} transition="slide-up" duration={120}>
        {(style) => (
          <Paper
            component="section"
            aria-label="Selected users"
            className={classes.bar}
            style={style}
            shadow="lg"
            withBorder
          >
            <Text size="sm" fw={500} role="status" className="nowrap" px={6}>
              {plural(countOf(selected), "user")} selected
            </Text>
            {everybody ? (
              <Button size="compact-sm" variant="subtle" onClick={everybody.onSelect}>
                Select all {everybody.count}
              </Button>
            ) : null}
            <Group gap={6}>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconUsersPlus size={15} aria-hidden />}
                onClick={() => setAction("add")}
              >
                Add to group
              </Button>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconCubePlus size={15} aria-hidden />}
                onClick={() => setAction("grant")}
              >
                Grant models
              </Button>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconUserPause size={15} aria-hidden />}
                onClick={() => setAction("suspend")}
              >
                Suspend
              </Button>
              <Menu position="top-end" withinPortal>
                <Menu.Target>
                  <Button
                    size="xs"
                    variant="default"
                    leftSection={<IconDots size={15} aria-hidden />}
                  >
                    More
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    leftSection={<IconUsersMinus size={15} aria-hidden />}
                    onClick={() => setAction("remove")}
                  >
                    Remove from group
                  </Menu.Item>
                  <Menu.Item
                    leftSection={<IconUserCheck size={15} aria-hidden />}
                    onClick={() => setAction("reactivate")}
                  >
                    Reactivate
                  </Menu.Item>
                  <Menu.Divider />
                  <Menu.Item
                    color="var(--mantine-color-error)"
                    leftSection={<IconTrash size={15} aria-hidden />}
                    onClick={() => setAction("delete")}
                  >
                    Delete
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
              <Button
                size="xs"
                variant="subtle"
                color="gray"
                leftSection={<IconX size={15} aria-hidden />}
                onClick={onDone}
              >
                Clear
              </Button>
            </Group>
          </Paper>
        )}
      </Transition>
      {Dialog ? (
        <Suspense>
          <Dialog selected={selected} onClose={() => setAction(null)} onDone={onDone} />
        </Suspense>
      ) : null}
    </>
  );
}
