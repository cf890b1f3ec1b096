import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";

interface Props {
  href: string;
  /** For the head of a card. */
  small?: boolean;
  children?: string;
}

/** Downloads a file that the server has at this address. */
export function FileButton({ href, small = false, children = "CSV" }: Props) {
  return (
    <Button
      {...(small ? { size: "xs" } : {})}
      variant="default"
      component="a"
      href={href}
      download
      leftSection={<IconDownload size={small ? 14 : 16} aria-hidden />}
    >
      {children}
    </Button>
  );
}
