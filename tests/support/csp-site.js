import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

import { bundleForPage } from "./bundle.js";

/** @import { ServerResponse } from "node:http" */
/** @import { AddressInfo } from "node:net" */
/** @import { Browser, Page } from "playwright-core" */

const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; " +
  "connect-src 'self' blob: data:; worker-src ";

const page =
  '<!doctype html><title>Empty</title><script type="module" src="/sandbox-page.js"></script>';

/**
 * Runs in the page: waits for the page's script. The drivers' own functions for waiting evaluate
 * strings, which the policy forbids.
 */
async function waitForGlobals() {
  const script = "/sandbox-page.js";
  await import(script);
}

/**
 * Serves `dist/` under a strict content security policy, and at `/` an empty page with the globals of
 * `sandbox-page.js`. The query's `worker-src` completes the policy.
 *
 * @param {object} [options]
 * @param {(path: string, response: ServerResponse) => boolean | void} [options.intercept] responds in
 *   another way to some paths, for which it returns `true`
 */
export async function startCspSite({ intercept } = {}) {
  const script = await bundleForPage("sandbox-page.js");
  /** @type {string[]} */
  const paths = [];
  const server = createServer(({ url = "/" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    paths.push(pathname);
    response.setHeader("content-type", pathname.endsWith(".js") ? "text/javascript" : "text/html");
    response.setHeader("content-security-policy", policy + searchParams.get("worker-src"));
    if (intercept?.(pathname, response)) return;
    if (pathname === "/") response.end(page);
    else if (pathname === "/sandbox-page.js") response.end(script);
    else if (existsSync(`dist${pathname}`)) response.end(readFileSync(`dist${pathname}`));
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${port}`;

  /**
   * Opens the empty page in a browser, and returns the result of the visit. Fails on an error in the
   * page, and on a request to another origin.
   *
   * @template T
   * @param {Browser} browser
   * @param {string} workers the policy's `worker-src`
   * @param {(page: Page) => Promise<T>} visit
   */
  async function withPage(browser, workers, visit) {
    const page = await browser.newPage();
    /** @type {string[]} */
    const faults = [];
    page.on("pageerror", (error) => {
      // Firefox reports violations of the policy as errors of the page.
      if (!/Content-Security-Policy.*worker-src/.test(String(error))) faults.push(String(error));
    });
    page.on("request", (request) => {
      const url = request.url();
      const isLocal = url.startsWith(`${origin}/`) || /^(blob|data):/.test(url);
      if (!isLocal) faults.push(url);
    });
    paths.length = 0;
    await page.goto(`${origin}/?worker-src=${encodeURIComponent(workers)}`);
    await page.evaluate(waitForGlobals);
    const result = await visit(page).finally(() => page.close());
    assert.deepEqual(faults, []);
    return result;
  }

  return {
    origin,
    /** The paths that were requested. */
    paths,
    withPage,
    close: () => server.close(),
  };
}
