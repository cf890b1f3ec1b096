import { messageOf } from "@/lib/errors";
import { plural } from "@/lib/numbers";

export interface Failure {
  label: string;
  problem: string;
}

interface Item {
  id: string;
  label: string;
}

interface Options {
  /** How many the server takes in one request. */
  lot: number;
  act: (ids: string[]) => Promise<unknown>;
  onProgress: (done: number) => void;
}

const lotsAtOnce = 4;

/** Does one thing to each of many, a few lots at a time; one that fails keeps none of the others back. */
export async function runEach(
  items: Item[],
  { lot, act, onProgress }: Options,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  const lots = Array.from({ length: Math.ceil(items.length / lot) }, (_, n) =>
    items.slice(n * lot, (n + 1) * lot),
  );
  let done = 0;

  async function work(): Promise<void> {
    for (let next = lots.shift(); next !== undefined; next = lots.shift()) {
      try {
        await act(next.map(({ id }) => id));
      } catch (error) {
        failures.push({ label: labelOf(next), problem: messageOf(error) });
      }
      done += next.length;
      onProgress(done);
    }
  }

  await Promise.all(Array.from({ length: lotsAtOnce }, work));
  return failures;
}

function labelOf([first, ...others]: Item[]): string {
  const name = first?.label ?? "";
  return others.length === 0 ? name : `${name} and ${plural(others.length, "other")}`;
}
