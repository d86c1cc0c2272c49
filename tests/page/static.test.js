// The static build on a plain file server: under a path, without an API, with a strict policy.

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

/** The content security policy that docs/deploy.md recommends. */
const [policy] = readFileSync("docs/deploy.md", "utf8").match(/^default-src .*$/m) ?? [];

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
 * Requests for missing files, and violations of the policy.
 *
 * @type {string[]}
 */
const rejected = [];

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
    rejected.push(`${request.method} ${url} ${await text(request)}`);
    response.writeHead(404).end();
  }
});

/** Renders models. @type {Browser} */
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
 * Opens the page and uses it. Fails if the page logs anything, requests a missing file, violates the
 * policy, or sends a request to another origin.
 *
 * @param {Browser} browser
 * @param {(page: Page) => Promise<void>} visit
 */
async function withPage(browser, visit) {
  const { port } = /** @type {import("node:net").AddressInfo} */ (files.address());
  const origin = `http://127.0.0.1:${port}`;
  rejected.length = 0;
  /** @type {string[]} */
  const problems = [];
  const page = await browser.newPage();
  try {
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !/^(blob|data):/.test(url)) {
        problems.push(`requested ${url}`);
      }
    });
    await page.goto(origin + path);
    await visit(page);
  } finally {
    await page.close();
  }
  assert.deepEqual([...problems.filter((text) => !slowDrawing.test(text)), ...rejected], []);
}

/**
 * Does the same in a new browser.
 *
 * @param {() => Promise<any>} start
 * @param {(page: Page) => Promise<void>} visit
 */
async function withBrowser(start, visit) {
  // Playwright and Puppeteer agree on every method used here, but not on its types.
  const browser = await start();
  await withPage(browser, visit).finally(() => browser.close());
}

const textOf = (/** @type {Page} */ page, /** @type {string} */ id) =>
  page.evaluate((id) => document.getElementById(id)?.innerText ?? "", id);

test("builds a model in the page, in Chromium", () =>
  withPage(chromium, async (page) => {
    assert.equal(
      await textOf(page, "endpoint-note"),
      "Runs in this page as soon as you choose an image. Nothing is uploaded.",
    );
    const start = performance.now();
    await page.getByRole("button", { name: "Sample turtle" }).click();
    await waitForModel(page);
    const took = Math.round(performance.now() - start);
    const { covered, colours, info, name } = await inspectModel(page);
    console.log(`${info}; ${covered.toFixed(2)} of the viewer in ${colours} colours, ${took} ms`);
    assert.equal(name, "3D model of turtle.webp");
    assert.ok(covered > 0.05 && covered < 0.9, `${covered} of the viewer`);
    assert.ok(colours > 500, `${colours} colours`);
  }));

// Firefox has no WebGL without a GPU or a screen.
test("builds a model in the page, in Firefox without WebGL", () =>
  withBrowser(startFirefox, async (page) => {
    await page.click('[aria-label="Sample turtle"]');
    await page.waitForFunction(() => {
      const info = document.getElementById("model-info")?.innerText ?? "";
      return /faces$|WebGL$/.test(info);
    });
    const info = await textOf(page, "model-info");
    assert.match(
      info,
      /^[1-9][\d,]* faces; displaying the model requires WebGL$|\), [1-9][\d,]* faces$/,
    );
    assert.match(await textOf(page, "downloads"), /Download GLB/);
  }));

// In a browser that does not render: rendering takes far longer than starting a browser.
test("drops in-page sessions on a reload", () =>
  withBrowser(startChromium, async (page) => {
    await page.getByRole("button", { name: "Sample turtle" }).click();
    await page.locator("#session-status").getByText("preview_done").waitFor();
    const sessions = page.getByRole("listitem").filter({ hasText: "until you close this page" });
    assert.equal(await sessions.count(), 1);
    await sessions.getByRole("button").click();
    await page.locator("#session-status").getByText("preview_done").waitFor();
    await page.reload();
    assert.equal(await textOf(page, "session-status"), "No session yet.");
    assert.equal(await page.getByRole("heading", { name: "Earlier sessions" }).isVisible(), false);
  }));

test("paints the page before it loads the viewer", () =>
  withPage(chromium, async (page) => {
    await page.waitForFunction(
      () =>
        customElements.get("model-viewer") && performance.getEntriesByName("first-paint").length,
    );
    const [painted, requested] = await page.evaluate(() => [
      performance.getEntriesByName("first-paint")[0].startTime,
      performance.getEntriesByType("resource").find(({ name }) => /model-viewer/.test(name))
        ?.startTime ?? 0,
    ]);
    console.log(`painted after ${painted} ms, viewer requested after ${requested} ms`);
    assert.ok(painted < requested);
  }));

test("shows the description of the API, and has the document", () =>
  withPage(chromium, async (page) => {
    const origin = new URL(page.url()).origin;
    await page.goto(`${origin}${path}docs/api/index.html`);
    await page.getByRole("heading", { name: "Create a session" }).waitFor();
    const display = await page.evaluate(() => getComputedStyle(document.body).display);
    assert.equal(display, "grid");
    const link = page.getByRole("link", { name: "openapi.json" });
    const url = await link.evaluate((link) => /** @type {HTMLAnchorElement} */ (link).href);
    const response = await page.request.get(url);
    assert.equal((await response.json()).openapi, "3.1.1");
  }));

test("the description of the API fits narrow screens", () =>
  withPage(chromium, async (page) => {
    const origin = new URL(page.url()).origin;
    await page.goto(`${origin}${path}docs/api/index.html`);
    for (const width of [1366, 390, 320]) {
      await page.setViewportSize({ width, height: 700 });
      const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(scroll, width);
    }
  }));
