import { Badge } from "@mantine/core";
import { IconClockHour4 } from "@tabler/icons-react";
import { When } from "@/components/when";

interface Props {
  endsAt: string;
  /** Why it was made, on hover. */
  title?: string;
  /** Where a column is narrow: the clock alone says that it is temporary. */
  compact?: boolean;
}

/** Marks a value that stands in for what is set lastingly. */
export function TemporaryBadge({ endsAt, title, compact = false }: Props) {
  return (
    <Badge
      color="orange"
      leftSection={
        <IconClockHour4
          size={12}
          {...(compact ? { "aria-label": "Temporary", role: "img" } : { "aria-hidden": true })}
        />
      }
      miw="max-content"
      maw="100%"
      {...(title ? { title } : {})}
    >
      {compact ? "Ends" : "Temporary, ends"} <When at={endsAt} />
    </Badge>
  );
}
