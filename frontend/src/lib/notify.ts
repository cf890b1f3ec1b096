import type { NotificationData } from "@mantine/notifications";
import { messageOf } from "@/lib/errors";

/** Told when the first message is due; until then nothing that shows messages is loaded. */
let onFirst: (() => void) | undefined;
let due = false;

export function whenFirstDue(tell: () => void): void {
  onFirst = tell;
  if (due) tell();
}

export function notifySuccess(message: string): void {
  show({ message, color: "green" });
}

export function notifyFailure(error: unknown): void {
  show({ title: "That did not work", message: messageOf(error), color: "red" });
}

/** Stays until it is closed, and is there once however often this is called. */
export function notifySignedOut(): void {
  show({
    id: "signed-out",
    title: "You are signed out",
    message:
      "Your session has ended. What you typed is still here: sign in in another tab, then save it again.",
    color: "orange",
    autoClose: false,
  });
}

function show(data: NotificationData): void {
  due = true;
  onFirst?.();
  void import("@mantine/notifications").then(({ notifications }) => notifications.show(data));
}
