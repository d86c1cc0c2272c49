// The examples, built as their READMEs say and used as a person uses them.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";

import { server } from "../support/browsers.js";
import { holdSessions } from "../support/hold-sessions.js";
import { inPage, version as chromium } from "./built.js";
import { emitted, oneWasm, root } from "./folder.js";
import { run, serve } from "./programs.js";
import { consumer } from "./report.js";

const viewing = {
  status: "spin_generate_processing",
  session_status: "in_progress",
  percent_done: 0,
};

/** @typedef {import("playwright-core").Page} Page */

const picture = "www/samples/turtle.webp";

/** Declares the tests. */
export function examples() {
  consumer("example: React", "vite", async () => {
    const path = join(root, "react");
    cpSync("examples/react", path, { recursive: true });
    await run("vite", ["build"], { cwd: path, env: { VITE_API: server } });
    const dist = join(path, "dist");
    await inPage(await serve(dist), useReact);
    return oneWasm(emitted(dist));
  });
  consumer("example: plain page", chromium, async () => {
    const path = join(root, "plain");
    cpSync("examples/plain", path, { recursive: true });
    const installed = join(root, "node_modules/csm-image-to-3d");
    cpSync(installed, join(path, "csm-image-to-3d"), { recursive: true });
    await inPage(await serve(path), usePlain);
  });
}

/** @param {Page} page */
async function useReact(page) {
  const resume = await holdSessions(page, viewing);
  await page.getByLabel("Picture").setInputFiles(picture);
  await page.getByRole("button", { name: "Make the model" }).click();
  await page.getByText(/SESSION_\d+_\d+: spin running/).waitFor();
  await resume();
  await page.waitForFunction(
    () => /** @type {any} */ (document.querySelector("model-viewer"))?.loaded,
  );
  assert.equal(await page.getByRole("button", { name: "Cancel" }).count(), 0);

  await cancels(page, page.getByRole("status"));
  assert.equal(await page.getByRole("status").count(), 0);
  assert.equal(await page.getByRole("alert").count(), 0);

  await page.getByLabel("Picture").setInputFiles("package.json");
  await page.getByRole("button", { name: "Make the model" }).click();
  await page.getByRole("alert").waitFor();
}

/** @param {Page} page */
async function usePlain(page) {
  await page.getByLabel("Server").fill(server);
  await page.getByLabel("Picture").setInputFiles(picture);
  await page.getByRole("button", { name: "Make the model" }).click();
  const link = page.getByRole("link", { name: /Save SESSION_.*\.glb/ });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    link.waitFor().then(() => link.click()),
  ]);
  assert.match(download.suggestedFilename(), /^SESSION_\d+_\d+\.glb$/);

  await cancels(page, page.locator("output"));
  assert.equal(await page.locator("output").textContent(), "Cancelled.");
}

/**
 * Once a session that was begun is cancelled, nobody asks for it any more.
 *
 * @param {Page} page
 * @param {import("playwright-core").Locator} status
 */
async function cancels(page, status) {
  const resume = await holdSessions(page, viewing);
  await page.getByRole("button", { name: "Make the model" }).click();
  await status.filter({ hasText: /SESSION_\d+_\d+: / }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  // One that went out before the click is told of at the latest now.
  await page.waitForTimeout(500);
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  // Longer than the first intervals of a wait.
  await page.waitForTimeout(5000);
  assert.deepEqual(asked, []);
  await resume();
}
