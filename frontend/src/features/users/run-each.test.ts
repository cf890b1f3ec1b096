import { expect, it } from "vitest";
import { runEach } from "@/features/users/run-each";
import { ApiError } from "@/lib/errors";

const people = Array.from({ length: 9 }, (_, n) => ({ id: `u${n}`, label: `User ${n}` }));

it("does it to everybody, names those with whom it failed, and counts up to the end", async () => {
  const seen: string[] = [];
  const progress: number[] = [];
  const failures = await runEach(people, {
    lot: 1,
    act: async ([id = ""]) => {
      seen.push(id);
      if (id === "u3")
        throw new ApiError("The last active administrator can't be suspended.", "conflict");
    },
    onProgress: (done) => progress.push(done),
  });
  expect(seen.sort()).toEqual(people.map(({ id }) => id));
  expect(failures).toEqual([
    { label: "User 3", problem: "The last active administrator can't be suspended." },
  ]);
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it("sends no more at once than the server takes", async () => {
  const lots: number[] = [];
  const failures = await runEach(people, {
    lot: 4,
    act: async (ids) => {
      lots.push(ids.length);
      if (ids.includes("u8")) throw new ApiError("There is no such user.", "not_found");
      if (ids.includes("u0")) throw new ApiError("There is no such group.", "not_found");
    },
    onProgress: () => {},
  });
  expect(lots).toEqual([4, 4, 1]);
  expect(failures.map(({ label }) => label)).toEqual(["User 0 and 3 others", "User 8"]);
});
