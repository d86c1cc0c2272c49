// The examples, built as their READMEs describe and used in Chromium.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";

import { server } from "../support/browsers.js";
import { holdSessions } from "../support/hold-sessions.js";
import { chromiumVersion, inPage } from "./bundlers.js";
import { run, serveFiles } from "./programs.js";
import { consumer } from "./report.js";
import { assertSingleWasm, measureBuild, root } from "./workspace.js";

/** A session whose views are being generated. */
const generatingViews = {
  status: "spin_generate_processing",
  session_status: "in_progress",
  percent_done: 0,
};

/** @typedef {import("playwright-core").Page} Page */

const image = "www/samples/turtle.webp";

/** Defines the tests. */
export function examples() {
  consumer("example: React", "vite", async () => {
    const path = join(root, "react");
    cpSync("examples/react", path, { recursive: true });
    await run("vite", ["build"], { cwd: path, env: { VITE_API: server } });
    const dist = join(path, "dist");
    await inPage(await serveFiles(dist), useReact);
    return assertSingleWasm(measureBuild(dist));
  });
  consumer("example: plain page", chromiumVersion, async () => {
    const path = join(root, "plain");
    cpSync("examples/plain", path, { recursive: true });
    const installed = join(root, "node_modules/csm-image-to-3d");
    cpSync(installed, join(path, "csm-image-to-3d"), { recursive: true });
    await inPage(await serveFiles(path), usePlain);
  });
}

/** @param {Page} page */
async function useReact(page) {
  const release = await holdSessions(page, generatingViews);
  await page.getByLabel("Image").setInputFiles(image);
  await page.getByRole("button", { name: "Create model" }).click();
  await page.getByText(/SESSION_\d+_\d+: spin running/).waitFor();
  await release();
  await page.waitForFunction(
    () => /** @type {any} */ (document.querySelector("model-viewer"))?.loaded,
  );
  assert.equal(await page.getByRole("button", { name: "Cancel" }).count(), 0);

  await assertCancels(page, page.getByRole("status"));
  assert.equal(await page.getByRole("status").count(), 0);
  assert.equal(await page.getByRole("alert").count(), 0);

  await page.getByLabel("Image").setInputFiles("package.json");
  await page.getByRole("button", { name: "Create model" }).click();
  await page.getByRole("alert").waitFor();
}

/** @param {Page} page */
async function usePlain(page) {
  await page.getByLabel("API base URL").fill(server);
  await page.getByLabel("Image").setInputFiles(image);
  await page.getByRole("button", { name: "Create model" }).click();
  const link = page.getByRole("link", { name: /Save SESSION_.*\.glb/ });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    link.waitFor().then(() => link.click()),
  ]);
  assert.match(download.suggestedFilename(), /^SESSION_\d+_\d+\.glb$/);

  await assertCancels(page, page.locator("output"));
  assert.equal(await page.locator("output").textContent(), "Cancelled.");
}

/**
 * Asserts that the page sends no requests after its user has cancelled.
 *
 * @param {Page} page
 * @param {import("playwright-core").Locator} status
 */
async function assertCancels(page, status) {
  const release = await holdSessions(page, generatingViews);
  await page.getByRole("button", { name: "Create model" }).click();
  await status.filter({ hasText: /SESSION_\d+_\d+: / }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  // Lets a request finish that was sent before the click.
  await page.waitForTimeout(500);
  /** @type {string[]} */
  const requested = [];
  page.on("request", (request) => requested.push(request.url()));
  // Longer than the first polling intervals.
  await page.waitForTimeout(5000);
  assert.deepEqual(requested, []);
  await release();
}
