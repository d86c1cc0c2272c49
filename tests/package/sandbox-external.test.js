// The sandbox whose WebAssembly is a separate file, in both browsers and in Node.js.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { startCspSite } from "../support/csp-site.js";
import { describeInBrowsers } from "../support/in-browsers.js";

/** @import { ServerResponse } from "node:http" */
/** @import { Browser, Page } from "playwright-core" */

const folder = "/pkg/wasm/";
const name = readdirSync(`dist${folder}`).find((name) => /^sandbox-\w{16}\.wasm$/.test(name));
const path = `${folder}${name}`;
const wasm = readFileSync(`dist${path}`);

/**
 * @template T
 * @param {Browser} browser
 * @param {(page: Page, paths: string[]) => Promise<T>} visit
 * @param {(path: string, response: ServerResponse) => boolean | void} [intercept]
 */
async function withSite(browser, visit, intercept) {
  const site = await startCspSite({ intercept });
  try {
    return await site.withPage(browser, "'self' blob:", (page) => visit(page, site.paths));
  } finally {
    site.close();
  }
}

describeInBrowsers("the sandbox with a separate file", (browser) => {
  test("reports the download, which two calls of load and two sandboxes share", () =>
    withSite(browser(), async (page, paths) => {
      const { progress, late, statuses } = await page.evaluate(async () => {
        const { createSandbox, load } = await import("/pkg/sandbox/external.js");
        /** @type {[number, number][][]} */
        const progress = [[], []];
        await Promise.all(
          progress.map((parts) =>
            load(undefined, { onProgress: ({ loaded, total }) => parts.push([loaded, total]) }),
          ),
        );
        let late = 0;
        await load(undefined, { onProgress: () => late++ });
        const { image } = sandboxHelpers;
        const sessions = await Promise.all(
          [createSandbox(), createSandbox({ speed: 20 })].map(({ fetch }) =>
            library.createSession({ image, fetch }),
          ),
        );
        return { progress, late, statuses: sessions.map(({ status }) => status) };
      });
      for (const parts of progress) {
        assert.ok(parts.length > 2, String(parts));
        assert.deepEqual(parts[0], [0, wasm.length]);
        assert.deepEqual(parts.at(-1), [wasm.length, wasm.length]);
        assert.deepEqual(
          parts,
          parts.toSorted(([a], [b]) => a - b),
        );
      }
      assert.equal(late, 0);
      assert.deepEqual(statuses, ["spin_generate_processing", "spin_generate_processing"]);
      assert.equal(paths.filter((requested) => requested === path).length, 1);
      assert.ok(!paths.includes("/pkg/wasm/sandbox_inlined.js"), String(paths));
    }));

  test("loads the file by itself for the first request", () =>
    withSite(browser(), async (page, paths) => {
      await page.evaluate(async () => {
        const { createSandbox } = await import("/pkg/sandbox/external.js");
        Object.assign(globalThis, { sandbox: createSandbox({ speed: 20 }) });
      });
      assert.ok(!paths.includes(path), String(paths));
      const status = await page.evaluate(async () => {
        const { fetch } = /** @type {any} */ (globalThis).sandbox;
        const image = await (await globalThis.fetch("/samples/turtle.webp")).blob();
        return (await library.imageTo3d({ image, fetch, interval: 20 })).status;
      });
      assert.equal(status, "preview_done");
      assert.ok(paths.includes(path), String(paths));
    }));

  test("takes the file from another URL, and tries again after a failure", () =>
    withSite(
      browser(),
      async (page, paths) => {
        const { error, requests } = await page.evaluate(async () => {
          const { createSandbox, load } = await import("/pkg/sandbox/external.js");
          const error = await load("/missing.wasm").catch((error) => error);
          await load(new URL("/elsewhere.wasm", location.href));
          const { kind, sent, message } = error;
          return { error: { kind, sent, message }, requests: await createSandbox().requests() };
        });
        assert.equal(error.kind, "internal");
        assert.equal(error.sent, "no");
        assert.match(error.message, /\/missing\.wasm responded with HTTP 404$/);
        assert.deepEqual(requests, []);
        assert.ok(!paths.includes(path), String(paths));
      },
      (requested, response) => {
        if (requested !== "/elsewhere.wasm") return false;
        response.end(wasm);
        return true;
      },
    ));
});

test("takes a compiled module in Node.js, after bytes that are no WebAssembly", async () => {
  const { createSandbox, load } = await import("../../pkg/sandbox/external.js");
  await assert.rejects(load(new Uint8Array(8)), { name: "ImageTo3dError", kind: "internal" });
  await load(await WebAssembly.compile(wasm));
  assert.deepEqual(await createSandbox().requests(), []);
});
