import { notifications } from "@mantine/notifications";
import { messageOf } from "@/lib/errors";

export function notifySuccess(message: string): void {
  notifications.show({ message, color: "green" });
}

export function notifyFailure(error: unknown): void {
  notifications.show({ title: "That did not work", message: messageOf(error), color: "red" });
}
