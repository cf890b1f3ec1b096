import { formatExact, formatRelative } from "@/lib/dates";

interface Props {
  at: string | null | undefined;
  /** What to say when there is no such moment. */
  none?: string;
}

/** A moment as people say it, exact on hover. */
export function When({ at, none = "Never" }: Props) {
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={formatExact(at)} className="nowrap">
      {formatRelative(at)}
    </time>
  );
}
