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

function show(data: NotificationData): void {
  due = true;
  onFirst?.();
  void import("@mantine/notifications").then(({ notifications }) => notifications.show(data));
}
