// The sandbox in both browsers, under a strict content security policy.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startChromium, startFirefox } from "../support/browsers.js";
import { startCspSite } from "../support/csp-site.js";

/** @import { Browser, Page } from "playwright-core" */

/**
 * Runs in the page: waits for the page's script. The drivers' own functions for waiting evaluate
 * strings, which the policy forbids.
 */
async function waitForGlobals() {
  const script = "/sandbox-page.js";
  await import(script);
}

/** Runs in the page: makes three models, and measures how long that blocks the page's thread. */
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
  const statuses = (await Promise.all(sessions)).map(({ status }) => status);
  await new Promise((resolve) => setTimeout(resolve, 200));
  observer.disconnect();
  return { blocked, statuses };
}

for (const [name, start] of Object.entries({ Chromium: startChromium, Firefox: startFirefox })) {
  describe(`the sandbox in ${name}`, () => {
    /** @type {Awaited<ReturnType<typeof startCspSite>>} */
    let site;
    /** @type {Browser} */
    let browser;
    before(async () => {
      site = await startCspSite();
      // The drivers share all methods that are used here, but not their types.
      browser = /** @type {any} */ (await start());
    });
    after(async () => {
      await browser.close();
      site.close();
    });

    /**
     * Opens the page, and returns the result of the visit. Fails on an error in the page, and on a
     * request to another origin.
     *
     * @template T
     * @param {string} workers the policy's `worker-src`
     * @param {(page: Page) => Promise<T>} visit
     */
    async function withPage(workers, visit) {
      const page = await browser.newPage();
      /** @type {string[]} */
      const faults = [];
      page.on("pageerror", (error) => {
        // Firefox reports violations of the policy as errors of the page.
        if (!/Content-Security-Policy.*worker-src/.test(String(error))) faults.push(String(error));
      });
      page.on("request", (request) => {
        const url = request.url();
        const isLocal = url.startsWith(`${site.origin}/`) || /^(blob|data):/.test(url);
        if (!isLocal) faults.push(url);
      });
      site.paths.length = 0;
      await page.goto(`${site.origin}/?worker-src=${encodeURIComponent(workers)}`);
      await page.evaluate(waitForGlobals);
      const result = await visit(page).finally(() => page.close());
      assert.deepEqual(faults, []);
      return result;
    }

    for (const [workers, allowsWorkers] of /** @type {const} */ ([
      ["'self' blob:", true],
      ["'none'", false],
    ])) {
      test(`makes a model under worker-src ${workers}`, () =>
        withPage(workers, async (page) => {
          const { url, size, ...result } = await page.evaluate(async () => {
            const { createSandbox, image } = sandboxHelpers;
            const sandbox = createSandbox({ speed: 20 });
            const options = { image, fetch: sandbox.fetch, interval: 20 };
            const session = await library.imageTo3d(options);
            const url = String(session.preview_mesh_url_glb);
            const model = await library.downloadModel(session, { fetch: sandbox.fetch });
            const start = (await (await fetch(url)).text()).slice(0, 4);
            const picture = new Image();
            picture.src = String(session.image_url);
            await picture.decode();
            await sandbox.reset();
            const isRevoked = await fetch(url).then(
              () => false,
              () => true,
            );
            const { status } = await library.imageTo3d(options);
            return { url, start, size: model.size, width: picture.width, isRevoked, status };
          });
          assert.ok(url.startsWith(`blob:${site.origin}/`), url);
          assert.ok(size > 1000);
          assert.deepEqual(result, {
            start: "glTF",
            width: 451,
            isRevoked: true,
            status: "preview_done",
          });
          // A page imports the glue only to work on its own thread.
          assert.equal(site.paths.includes("/pkg/wasm/sandbox.js"), !allowsWorkers);
        }));
    }

    test("gives each sandbox a worker, which ends with a reset", () =>
      withPage("'self' blob:", async (page) => {
        const result = await page.evaluate(async () => {
          const { createSandbox, image, workers } = sandboxHelpers;
          const sandboxes = [createSandbox({ speed: 20 }), createSandbox({ speed: 20 })];
          const workersBefore = workers.started;
          const sessions = await Promise.all(
            sandboxes.map(({ fetch }) => library.imageTo3d({ image, fetch, interval: 20 })),
          );
          const createRequests = await Promise.all(
            sandboxes.map(
              async ({ requests }) =>
                (await requests()).filter(({ method }) => method === "POST").length,
            ),
          );
          await sandboxes[0].reset();
          const sessionsAfterReset = await Promise.all(
            sandboxes.map(
              async ({ fetch }) => (await library.listSessions({ fetch })).results.length,
            ),
          );
          const statuses = sessions.map(({ status }) => status);
          const workersAfter = workers.started;
          return { workersBefore, createRequests, sessionsAfterReset, statuses, workersAfter };
        });
        assert.deepEqual(result, {
          workersBefore: 0,
          createRequests: [1, 1],
          sessionsAfterReset: [0, 1],
          statuses: ["preview_done", "preview_done"],
          // The third is that of the sandbox that was reset.
          workersAfter: 3,
        });
      }));

    // Only Playwright's API can abort a request, and Firefox does not report long tasks.
    if (name === "Chromium") {
      test("retries a failed load on the page's thread", () =>
        withPage("'none'", async (page) => {
          let attempts = 0;
          await page.route("**/pkg/wasm/sandbox.js", (route) =>
            attempts++ === 0 ? route.abort() : route.continue(),
          );
          const results = await page.evaluate(async () => {
            const { requests } = sandboxHelpers.createSandbox();
            const error = await requests().catch((error) => error);
            return [error.name, error.kind, await requests()];
          });
          assert.deepEqual(results, ["ImageTo3dError", "internal", []]);
        }));

      test("does not block the page while it makes models", async () => {
        const measureUnder = (/** @type {string} */ workers) =>
          withPage(workers, async (page) => {
            const { statuses, blocked } = await page.evaluate(measureBlocking);
            assert.deepEqual(statuses, ["refine_done", "refine_done", "refine_done"]);
            console.log(`under worker-src ${workers} the page was blocked for ${blocked} ms`);
            return blocked;
          });
        const withoutWorker = await measureUnder("'none'");
        // A busy machine delays a page too, but not in every round.
        let withWorker = Infinity;
        for (let rounds = 0; rounds < 5 && !(withWorker < withoutWorker / 5); rounds++) {
          withWorker = await measureUnder("'self' blob:");
        }
        assert.ok(
          withWorker < withoutWorker / 5,
          `${withWorker} ms, and ${withoutWorker} ms without a worker`,
        );
      });
    }
  });
}
