import { lazy, Suspense, useEffect, useState } from "react";
import { whenFirstDue } from "@/lib/notify";

const Notifications = lazy(async () => {
  await import("@mantine/notifications/styles.css");
  return { default: (await import("@mantine/notifications")).Notifications };
});

/** The corner in which messages appear, loaded with the first of them. */
export function Messages() {
  const [due, setDue] = useState(false);
  useEffect(() => whenFirstDue(() => setDue(true)), []);
  if (!due) return null;
  return (
    <Suspense fallback={null}>
      <Notifications position="bottom-right" />
    </Suspense>
  );
}
