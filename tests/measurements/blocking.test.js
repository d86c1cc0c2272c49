// A sandbox with a worker does not block the page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startChromium } from "../support/browsers.js";
import { startCspSite } from "../support/csp-site.js";

/** @type {Awaited<ReturnType<typeof startCspSite>>} */
let site;
// Firefox does not report long tasks.
/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  site = await startCspSite();
  browser = await startChromium();
});
after(async () => {
  await browser.close();
  site.close();
});

/** Runs in the page: makes three models of a photo, and measures how long that blocks the page's thread. */
async function measureBlocking() {
  const { createSandbox, image } = sandboxHelpers;
  const { fetch } = createSandbox({ speed: 20 });
  // The first request loads the WebAssembly, which is not measured.
  await library.listSessions({ fetch });
  let blocked = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) blocked += Math.round(duration);
  });
  observer.observe({ type: "longtask" });
  const options = { image, generate_texture: true, auto_refine: true, fetch, interval: 20 };
  const sessions = Array.from({ length: 3 }, () => library.imageTo3d(options));
  const results = await Promise.all(sessions);
  const statuses = results.map(({ status, cutout }) => `${status} ${cutout?.method}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  observer.disconnect();
  return { blocked, statuses };
}

test("does not block the page while it makes models", async () => {
  const measureUnder = (/** @type {string} */ workers, /** @type {string} */ method) =>
    site.withPage(browser, workers, async (page) => {
      const { statuses, blocked } = await page.evaluate(measureBlocking);
      assert.deepEqual(statuses, Array(3).fill(`refine_done ${method}`));
      console.log(`under worker-src ${workers} the page was blocked for ${blocked} ms`);
      return blocked;
    });
  const withoutWorker = await measureUnder("'none'", "background");
  // A busy machine delays a page too, but not in every round.
  let withWorker = Infinity;
  for (let rounds = 0; rounds < 5 && !(withWorker < withoutWorker / 5); rounds++) {
    withWorker = await measureUnder("'self' blob:", "network");
  }
  assert.ok(
    withWorker < withoutWorker / 5,
    `${withWorker} ms, and ${withoutWorker} ms without a worker`,
  );
});
