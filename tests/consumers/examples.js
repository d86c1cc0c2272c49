// The examples, built as their READMEs describe and used in Chromium.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { server } from "../support/browsers.js";
import { holdSessions } from "../support/hold-sessions.js";
import { chromiumVersion, inPage } from "./bundlers.js";
import { run, serveFiles } from "./programs.js";
import { consumer } from "./report.js";
import { assertSingleWasm, copyExample, measureBuild, root } from "./workspace.js";

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
    const path = copyExample("react");
    await run("tsc", [], { cwd: path });
    // The development build of React, whose strict mode mounts each component twice.
    const env = { VITE_API: server, NODE_ENV: "development" };
    await run("vite", ["build", "--mode", "development"], { cwd: path, env });
    const dist = join(path, "dist");
    await inPage(await serveFiles(dist), useReact);
    await run("vite", ["build"], { cwd: path });
    return assertSingleWasm(measureBuild(dist));
  });
  consumer("example: React, installed as its README says", "vite", async () => {
    // The folders of the repository, whose package npm would link otherwise.
    const repository = join(root, "repository");
    const copy = (/** @type {string} */ path) => {
      const filter = (/** @type {string} */ source) => !source.endsWith("/node_modules");
      cpSync(path, join(repository, path), { recursive: true, filter });
    };
    copy("pkg");
    copy("examples/react");
    const cwd = join(repository, "examples/react");
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], { cwd });
    await run("npm", ["run", "build"], { cwd });
    return assertSingleWasm(measureBuild(join(cwd, "dist")));
  });
  for (const [name, folder] of /** @type {const} */ ([
    ["Vue", "vue"],
    ["Svelte", "svelte"],
  ])) {
    consumer(`example: ${name}`, "vite", async () => {
      const path = copyExample(folder);
      await checkScript(path, folder);
      await run("vite", ["build"], { cwd: path, env: { VITE_API: server } });
      const dist = join(path, "dist");
      await inPage(await serveFiles(dist), useComponent);
      return assertSingleWasm(measureBuild(dist));
    });
  }
  consumer("example: plain page", chromiumVersion, async () => {
    const path = join(root, "plain");
    cpSync("examples/plain", path, { recursive: true });
    const installed = join(root, "node_modules/csm-image-to-3d");
    cpSync(installed, join(path, "csm-image-to-3d"), { recursive: true });
    await inPage(await serveFiles(path), usePlain);
  });
}

/**
 * Compiles the script of a component as strict TypeScript.
 *
 * @param {string} path
 * @param {"vue" | "svelte"} framework
 */
async function checkScript(path, framework) {
  const component = readFileSync(join(path, `src/App.${framework}`), "utf8");
  const [, script] = component.match(/^<script [^>]*lang="ts">\n(.*?)^<\/script>/ms) ?? [];
  const folder = join(path, "check");
  mkdirSync(folder);
  writeFileSync(join(folder, "App.ts"), String(script));
  const settings = readFileSync("examples/react/tsconfig.json", "utf8");
  const { compilerOptions } = JSON.parse(settings);
  compilerOptions.types.push(...(framework === "svelte" ? ["svelte"] : []));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  await run("tsc", ["--project", folder], { cwd: path });
}

/** @param {Page} page */
async function useReact(page) {
  /** @type {string[]} */
  const created = [];
  /** @type {number[]} */
  const deleted = [];
  page.on("request", (request) => {
    if (request.method() === "POST") created.push(request.url());
  });
  const status = statusOf(page);
  const create = page.getByRole("button", { name: "Create model" });
  const viewer = () => /** @type {any} */ (document.querySelector("model-viewer"))?.loaded;

  // A photo of 12 megapixels is prepared, and its model is shown.
  let release = await holdSessions(page, generatingViews);
  const photo = await drawPhoto(page);
  await imageInput(page).setInputFiles(photo);
  await create.click();
  await status.filter({ hasText: /Generating the model….*SESSION_\d+_\d+/ }).waitFor();
  await assertPrepared(String(await status.textContent()), photo.buffer.length);
  await release();
  await page.waitForFunction(viewer);
  await status.filter({ hasText: "Done." }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Cancel" }).count(), 0);

  // A reload resumes the running session, and only one session is created.
  release = await holdSessions(page, generatingViews);
  await imageInput(page).setInputFiles(image);
  await create.click();
  await status.filter({ hasText: "SESSION_" }).waitFor();
  const code = sessionCode(String(await status.textContent()));
  await page.reload();
  await status.filter({ hasText: code }).waitFor();
  await release();
  await page.waitForFunction(viewer);
  // The model is shown as soon as the session has its URL.
  await status.filter({ hasText: "Done." }).waitFor();
  assert.equal(created.length, 2);
  await page.reload();
  await status.filter({ hasText: "Choose an image." }).waitFor();

  // "Cancel" deletes the session.
  page.on("response", (response) => {
    if (response.request().method() === "DELETE") deleted.push(response.status());
  });
  await assertCancels(page, status, () => imageInput(page).setInputFiles(image));
  assert.deepEqual(deleted, [204]);
  await status.filter({ hasText: "Cancelled." }).waitFor();
  assert.equal(await page.locator("p[role=alert]").count(), 0);

  await imageInput(page).setInputFiles("package.json");
  await create.click();
  await page.getByRole("alert").filter({ hasText: "This file is not an image" }).waitFor();
}

/** @param {Page} page */
async function useComponent(page) {
  await imageInput(page).setInputFiles(image);
  await page.getByRole("button", { name: "Create model" }).click();
  await page.waitForFunction(
    () => /** @type {any} */ (document.querySelector("model-viewer"))?.loaded,
  );
  assert.match(String(await statusOf(page).textContent()), /Done\./);
  await assertCancels(page, statusOf(page));
  await page.getByText("Cancelled.").waitFor();
  await imageInput(page).setInputFiles("package.json");
  await page.getByRole("button", { name: "Create model" }).click();
  await page.locator("p[role=alert]").waitFor();
}

// The viewer has elements with the same roles and labels.
const imageInput = (/** @type {Page} */ page) => page.locator("input[type=file]");
const statusOf = (/** @type {Page} */ page) => page.locator("p[role=status]");

/** @param {string} text */
const sessionCode = (text) => text.match(/SESSION_\d+_\d+/)?.[0] ?? "";

/**
 * Draws a JPEG of 12 megapixels in the page, because Node.js has no encoder.
 *
 * @param {Page} page
 */
async function drawPhoto(page) {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(4000, 3000);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    for (let line = 0; line < 3000; line++) {
      context.fillStyle = `hsl(${(line * 47) % 360} 60% 50%)`;
      context.fillRect(line % 500, line, 3000, 1);
    }
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  });
  return { name: "photo.jpg", mimeType: "image/jpeg", buffer: Buffer.from(base64, "base64") };
}

/**
 * Asserts that the server has received a smaller JPEG.
 *
 * @param {string} status contains the code of the session
 * @param {number} original the size of the photo in bytes
 */
async function assertPrepared(status, original) {
  const response = await fetch(`${server}/image-to-3d-sessions/${sessionCode(status)}`);
  const { data } = /** @type {any} */ (await response.json());
  const received = await (await fetch(data.image_url)).blob();
  assert.equal(received.type, "image/jpeg");
  assert.ok(received.size < original / 2, `${received.size} of ${original} bytes`);
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
 * @param {() => Promise<unknown>} [prepare] called before the session is created
 */
async function assertCancels(page, status, prepare) {
  const release = await holdSessions(page, generatingViews);
  await prepare?.();
  await page.getByRole("button", { name: "Create model" }).click();
  await status.filter({ hasText: /SESSION_\d+_\d+/ }).waitFor();
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
