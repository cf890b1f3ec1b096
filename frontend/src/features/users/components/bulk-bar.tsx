import { Button, Group, Paper, Text, Transition } from "@mantine/core";
import { IconCubePlus, IconUserPause, IconUsersPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { BulkAddToGroup } from "@/features/users/components/bulk-add-to-group";
import { BulkGrant } from "@/features/users/components/bulk-grant";
import { BulkSuspend } from "@/features/users/components/bulk-suspend";
import type { ListedUser } from "@/features/users/queries";
import { plural } from "@/lib/numbers";
import classes from "./bulk-bar.module.css";

interface Props {
  users: ListedUser[];
  /** The selection has served its purpose. */
  onDone: () => void;
}

type Action = "suspend" | "group" | "grant";

/** What can be done with everybody who is selected; floats over the list. */
export function BulkBar({ users, onDone }: Props) {
  const [action, setAction] = useState<Action | null>(null);
  const dialog = { users, onClose: () => setAction(null), onDone };
  return (
    <>
      <Transition mounted={users.length > 0} transition="slide-up" duration={120}>
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
              {plural(users.length, "user")} selected
            </Text>
            <Group gap={6}>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconUsersPlus size={15} aria-hidden />}
                onClick={() => setAction("group")}
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
      {action === "suspend" ? <BulkSuspend {...dialog} /> : null}
      {action === "group" ? <BulkAddToGroup {...dialog} /> : null}
      {action === "grant" ? <BulkGrant {...dialog} /> : null}
    </>
  );
}
