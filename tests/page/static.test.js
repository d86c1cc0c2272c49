// The static build on a plain file server, under a path, with no API and a strict policy.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";

import { startChromium, startFirefox } from "../support/browsers.js";
import { inspectModel, slowDrawing, waitForModel } from "../support/viewer.js";

/** @import { Browser, Page } from "playwright-core" */

/** The policy that README.md recommends. */
const [policy] = readFileSync("README.md", "utf8").match(/^default-src .*$/m) ?? [];

const path = "/some/where/";

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".jpg": "image/jpeg",
  ".png": "image/png",
};

/**
 * What the file server did not have, and what the policy forbade.
 *
 * @type {string[]}
 */
const refused = [];

const files = createServer(async (request, response) => {
  const url = request.url ?? "";
  try {
    assert.ok(request.method === "GET" && url.startsWith(path));
    const name = normalize(url.slice(path.length) || "index.html");
    const file = await readFile(join("dist", name));
    response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream");
    response.setHeader("content-security-policy", `${policy}; report-uri /violation`);
    response.end(file);
  } catch {
    refused.push(`${request.method} ${url} ${await text(request)}`);
    response.writeHead(404).end();
  }
});

/** One that draws. @type {Browser} */
let chromium;
before(async () => {
  await new Promise((listening) => files.listen(0, "127.0.0.1", () => listening(undefined)));
  chromium = await startChromium({ draws: true });
});
after(async () => {
  await chromium?.close();
  files.closeAllConnections();
  files.close();
});

/**
 * Opens the page; whatever it prints, and whatever it asks another origin for, fails the test.
 *
 * @param {Browser} browser
 * @param {(page: Page) => Promise<void>} visit
 */
async function withPage(browser, visit) {
  const { port } = /** @type {import("node:net").AddressInfo} */ (files.address());
  const origin = `http://127.0.0.1:${port}`;
  refused.length = 0;
  /** @type {string[]} */
  const wrong = [];
  const page = await browser.newPage();
  try {
    page.on("console", (message) => wrong.push(message.text()));
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !/^(blob|data):/.test(url)) {
        wrong.push(`asked for ${url}`);
      }
    });
    await page.goto(origin + path);
    await visit(page);
  } finally {
    await page.close();
  }
  assert.deepEqual([...wrong.filter((text) => !slowDrawing.test(text)), ...refused], []);
}

/**
 * The same in a browser of its own.
 *
 * @param {() => Promise<any>} start
 * @param {(page: Page) => Promise<void>} visit
 */
async function withBrowser(start, visit) {
  // The two drivers agree in all that is called here, but not in their types.
  const browser = await start();
  await withPage(browser, visit).finally(() => browser.close());
}

const said = (/** @type {Page} */ page, /** @type {string} */ id) =>
  page.evaluate((id) => document.getElementById(id)?.innerText ?? "", id);

test("a sample becomes a model in the page alone, in Chromium", () =>
  withPage(chromium, async (page) => {
    assert.match(await said(page, "where"), /^Made in this page/);
    const start = performance.now();
    await page.getByRole("button", { name: "Sample turtle" }).click();
    await waitForModel(page);
    const took = Math.round(performance.now() - start);
    const { covered, colours, facts, name } = await inspectModel(page);
    console.log(`${facts}; ${covered.toFixed(2)} of the viewer in ${colours} colours, ${took} ms`);
    assert.equal(name, "3D model of turtle.webp");
    assert.ok(covered > 0.05 && covered < 0.9, `${covered} of the viewer`);
    assert.ok(colours > 500, `${colours} colours`);
  }));

// Firefox has no WebGL where there is neither a graphics card nor a screen.
test("a sample becomes a model in the page alone, in Firefox, even where it cannot be drawn", () =>
  withBrowser(startFirefox, async (page) => {
    await page.click('[aria-label="Sample turtle"]');
    await page.waitForFunction(() => {
      const facts = document.getElementById("facts")?.innerText ?? "";
      return /faces$|WebGL$/.test(facts);
    });
    assert.match(await said(page, "facts"), /[1-9]\d* faces/);
    assert.match(await said(page, "downloads"), /Download GLB/);
  }));

// Without drawing, which takes far longer than a browser takes to start.
test("a session of the page ends with it", () =>
  withBrowser(startChromium, async (page) => {
    await page.getByRole("button", { name: "Sample turtle" }).click();
    await page.locator("#outcome").getByText("preview_done").waitFor();
    const sessions = page.getByRole("listitem").filter({ hasText: "until this page is closed" });
    assert.equal(await sessions.count(), 1);
    await sessions.getByRole("button").click();
    await page.locator("#outcome").getByText("preview_done").waitFor();
    await page.reload();
    assert.equal(await said(page, "outcome"), "No session yet.");
    assert.equal(await page.getByRole("heading", { name: "Earlier sessions" }).isVisible(), false);
  }));

test("the page is there before its viewer is", () =>
  withPage(chromium, async (page) => {
    await page.waitForFunction(
      () =>
        customElements.get("model-viewer") && performance.getEntriesByName("first-paint").length,
    );
    const [painted, asked] = await page.evaluate(() => [
      performance.getEntriesByName("first-paint")[0].startTime,
      performance.getEntriesByType("resource").find(({ name }) => /model-viewer/.test(name))
        ?.startTime ?? 0,
    ]);
    console.log(`painted after ${painted} ms, the viewer asked for after ${asked} ms`);
    assert.ok(painted < asked);
  }));
