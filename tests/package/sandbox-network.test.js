// The cut-out network of the sandbox in both browsers, under a strict content security policy.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { startChromium } from "../support/browsers.js";
import { startCspSite } from "../support/csp-site.js";
import { describeInBrowsers } from "../support/in-browsers.js";

/** @import { ServerResponse } from "node:http" */
/** @import { Browser, Page } from "playwright-core" */

const folder = "/pkg/wasm/cutout/";
const weights = String(readdirSync(`dist${folder}`).find((name) => name.endsWith(".onnx")));
const isNetworkFile = (/** @type {string} */ path) => path.startsWith(folder);

const refuse = (/** @type {ServerResponse} */ response) => {
  response.writeHead(404).end();
  return true;
};

/**
 * Opens a page of a site of its own, whose cache is empty.
 *
 * @template T
 * @param {Browser} browser
 * @param {(path: string, response: ServerResponse) => boolean | void} intercept
 * @param {(page: Page, paths: string[]) => Promise<T>} visit
 */
async function withSite(browser, intercept, visit) {
  const site = await startCspSite({ intercept });
  try {
    return await site.withPage(browser, "'self' blob:", (page) => visit(page, site.paths));
  } finally {
    site.close();
  }
}

/**
 * Makes a model of a photo in a new sandbox of the page.
 *
 * @param {Page} page
 * @param {{ cutout?: string, cutoutFiles?: string }} [options]
 */
const makeModel = (page, options = {}) =>
  page.evaluate(async ({ cutout, cutoutFiles }) => {
    const { createSandbox, image } = sandboxHelpers;
    const { fetch, reset } = createSandbox({ speed: 20, cutoutFiles });
    /** @type {string[]} */
    const engineStatuses = [];
    /** @type {number[]} */
    const percents = [];
    const onUpdate = (/** @type {any} */ session) => {
      if (session.engine_status) engineStatuses.push(session.engine_status);
      percents.push(session.percent_done);
    };
    const extra = cutout ? { cutout } : undefined;
    const options = { image, fetch, interval: 20, timeout: 60_000, extra, onUpdate };
    /** @type {any} */
    const result = await library.imageTo3d(options).catch((error) => error);
    await reset();
    const { message, cutout: report } = result;
    return { message, report, engineStatuses, percents };
  }, options);

/**
 * Makes a model, and returns how the object was found.
 *
 * @param {Page} page
 * @param {{ cutoutFiles?: string }} [options]
 */
async function findMethod(page, options) {
  const { message, report, engineStatuses } = await makeModel(page, options);
  assert.ok(report, `${message} after ${engineStatuses.at(-1)}`);
  return report.method;
}

/** Changes the source of the network's worker. */
const changeWorker =
  (/** @type {string} */ from, /** @type {string} */ to) =>
  (/** @type {string} */ path, /** @type {ServerResponse} */ response) => {
    if (path !== "/pkg/wasm/sandbox_workers.js") return false;
    const source = readFileSync(`dist${path}`, "utf8");
    assert.ok(source.includes(from), from);
    response.end(source.replace(from, to));
    return true;
  };

describeInBrowsers("the sandbox's network", (browser) => {
  test("finds the object of a photo, and reports the download", () =>
    withSite(
      browser(),
      (path, response) => {
        if (path !== folder + weights) return false;
        sendSlowly(response, readFileSync(`dist${path}`));
        return true;
      },
      async (page) => {
        const { report, engineStatuses, percents } = await makeModel(page);
        assert.equal(report.method, "network");
        assert.equal(report.shape, "object");
        const loading = /^Loading the cut-out network \((\d+) %\)$/;
        const loaded = engineStatuses.map((text) => Number(loading.exec(text)?.[1] ?? 100));
        assert.ok(new Set(loaded.filter((percent) => percent < 100)).size > 2, String(loaded));
        assert.deepEqual(
          loaded,
          loaded.toSorted((a, b) => a - b),
        );
        assert.ok(engineStatuses.includes("Finding the object"), String(engineStatuses));
        assert.ok(
          percents.some((percent) => percent > 0 && percent < 100),
          String(percents),
        );
      },
    ));

  test("needs its files only once", () => {
    let isOffline = false;
    return withSite(
      browser(),
      (path, response) => isOffline && isNetworkFile(path) && refuse(response),
      async (page, paths) => {
        assert.equal(await findMethod(page), "network");
        isOffline = true;
        paths.length = 0;
        assert.equal(await findMethod(page), "network");
        assert.deepEqual(paths.filter(isNetworkFile), []);
      },
    );
  });

  test("takes its files from the folder of cutoutFiles", () =>
    withSite(
      browser(),
      (path, response) => {
        if (path.startsWith("/elsewhere/")) {
          response.end(readFileSync(`dist${folder}${path.slice("/elsewhere/".length)}`));
          return true;
        }
        return isNetworkFile(path) && refuse(response);
      },
      async (page) => {
        const cutoutFiles = new URL("/elsewhere/", page.url()).href;
        assert.equal(await findMethod(page, { cutoutFiles }), "network");
      },
    ));

  test("is replaced by the background until its files are there", () => {
    /** @type {"missing" | "damaged" | "there"} */
    let files = "missing";
    return withSite(
      browser(),
      (path, response) => {
        if (files === "there" || !isNetworkFile(path)) return false;
        if (files === "missing") return refuse(response);
        response.end(readFileSync(`dist${path}`).fill(0));
        return true;
      },
      async (page) => {
        assert.equal(await findMethod(page), "background");
        const { message } = await makeModel(page, { cutout: "network" });
        assert.match(message, /the cut-out network is not available: .*\/cutout\/.*HTTP 404/);
        files = "damaged";
        assert.equal(await findMethod(page), "background");
        files = "there";
        assert.equal(await findMethod(page), "network");
      },
    );
  });

  test("is replaced by the background if its worker crashes", () =>
    withSite(
      browser(),
      changeWorker(
        "runNetworkWorker({ Network, initSync, takePanic });",
        "onmessage = () => { throw new Error(`a crash`); };",
      ),
      async (page) => {
        assert.equal(await findMethod(page), "background");
        const { message } = await makeModel(page, { cutout: "network" });
        assert.match(message, /the cut-out network is not available: .*a crash/);
      },
    ));

  test("is replaced by the background if a download stalls", () =>
    withSite(
      browser(),
      (path, response) => {
        if (path === folder + weights) {
          response.write(readFileSync(`dist${path}`).subarray(0, 100_000));
          return true;
        }
        return changeWorker("STALL_TIMEOUT = 30_000", "STALL_TIMEOUT = 300")(path, response);
      },
      async (page) => {
        const { message } = await makeModel(page, { cutout: "network" });
        assert.match(message, /the cut-out network is not available: .*no data for 0.3 s/);
      },
    ));
});

// Only Playwright's API, which drives Chromium, knows workers that a worker has started.
test("the network's worker ends, and answers several sessions before", async () => {
  const browser = await startChromium();
  try {
    await withSite(
      browser,
      () => false,
      async (page) => {
        /** @type {string[]} */
        const events = [];
        page.on("worker", (worker) => {
          events.push("start");
          worker.on("close", () => events.push("end"));
        });
        const methods = await page.evaluate(async () => {
          const { createSandbox, image } = sandboxHelpers;
          const { fetch } = createSandbox({ speed: 20 });
          const sessions = [1, 2, 3].map(() => library.imageTo3d({ image, fetch, interval: 20 }));
          return (await Promise.all(sessions)).map(({ cutout }) => cutout?.method);
        });
        assert.deepEqual(methods, ["network", "network", "network"]);
        // The worker of the sandbox, and that of the network.
        assert.deepEqual(events, ["start", "start", "end"]);
        assert.equal(page.workers().length, 1);
      },
    );
  } finally {
    await browser.close();
  }
});

/**
 * Sends a file in ten parts.
 *
 * @param {ServerResponse} response
 * @param {Buffer} file
 */
async function sendSlowly(response, file) {
  const length = Math.ceil(file.length / 10);
  for (let at = 0; at < file.length; at += length) {
    response.write(file.subarray(at, at + length));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  response.end();
}
