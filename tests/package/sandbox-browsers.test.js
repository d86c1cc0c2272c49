// The sandbox in both browsers, under a strict content security policy.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startChromium } from "../support/browsers.js";
import { startCspSite } from "../support/csp-site.js";
import { describeInBrowsers } from "../support/in-browsers.js";

describeInBrowsers("the sandbox", (browser) => {
  /** @type {Awaited<ReturnType<typeof startCspSite>>} */
  let site;
  before(async () => {
    site = await startCspSite();
  });
  after(() => site.close());

  for (const [workers, allowsWorkers] of /** @type {const} */ ([
    ["'self' blob:", true],
    ["'none'", false],
  ])) {
    test(`makes a model under worker-src ${workers}`, () =>
      site.withPage(browser(), workers, async (page) => {
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
    site.withPage(browser(), "'self' blob:", async (page) => {
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
});

// Only Playwright's API, which drives Chromium, can abort a request.
test("the sandbox retries a failed load on the page's thread", async () => {
  const site = await startCspSite();
  const browser = await startChromium();
  try {
    await site.withPage(browser, "'none'", async (page) => {
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
    });
  } finally {
    await browser.close();
    site.close();
  }
});
