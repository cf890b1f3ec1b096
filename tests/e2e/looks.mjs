// What axe and the browser find fault with: light and dark, wide and on a phone.
import { violations } from "./harness.mjs";

const looks = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "dark", width: 390 },
  { colorScheme: "light", width: 390 },
];
// Tablets and halves of screens: nothing may be cut off there, either.
const widthsBetween = [1024, 768];

/** What is wrong with the page as it is now, in each of the looks; empty is what a test wants. */
export async function faults(page, what, within) {
  const found = [];
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await atRest(page);
    const look = `${what}, ${colorScheme} at ${width}`;
    found.push(...(await violations(page, within)).map((fault) => `${look}: ${fault}`));
    found.push(...(await overflow(page, look, width)));
  }
  for (const width of within === undefined ? widthsBetween : []) {
    await page.setViewportSize({ width, height: 900 });
    await atRest(page);
    found.push(...(await overflow(page, `${what} at ${width}`, width)));
  }
  found.push(...page.problems.splice(0).map((problem) => `${what}: ${problem}`));
  return found;
}

async function overflow(page, look, width) {
  const broad = await page.evaluate(() => document.documentElement.scrollWidth);
  return broad > width ? [`${look}: ${broad} pixels wide`] : [];
}

/** Waits until styles and charts have followed a new look; what turns for ever is not waited for. */
async function atRest(page) {
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const passing = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(passing.map(({ finished }) => finished.catch(() => {})));
  });
}
