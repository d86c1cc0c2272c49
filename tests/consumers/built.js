// What bundlers make of an app that imports the package, run in Chromium.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";

import { server, startChromium } from "../support/browsers.js";
import { emitted, folder, hostWasm, oneWasm, root, wasmName } from "./folder.js";
import { freePort, run, serve, start } from "./programs.js";
import { assertMade, consumer } from "./report.js";

const browser = await startChromium();
after(() => browser.close());

export const version = `Chromium ${browser.version()}`;

/**
 * Opens a page, and runs a function with it.
 *
 * @template T
 * @param {string} address
 * @param {(page: import("playwright-core").Page) => Promise<T>} use
 */
export async function inPage(address, use) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  page.on("requestfailed", (request) => said.push(`${request.url()} failed`));
  try {
    await page.goto(address);
    return await use(page);
  } catch (error) {
    throw new Error(`the page at ${address} said: ${said.join("\n")}`, { cause: error });
  } finally {
    await page.close();
  }
}

/**
 * Opens the app's page, and checks the session that it makes.
 *
 * @param {string} address
 * @param {import("./folder.js").Variant} [variant]
 */
async function open(address, variant) {
  const url = new URL(address);
  url.searchParams.set("server", server);
  const result = await inPage(String(url), async (page) => {
    await page.waitForFunction("globalThis.result", undefined, { timeout: 30_000 });
    return page.evaluate("globalThis.result.catch(String)");
  });
  await assertMade(result, variant);
}

/**
 * An app that a command builds into its `dist`.
 *
 * @param {string} name
 * @param {readonly string[]} command
 * @param {import("./folder.js").Variant & { page?: string, wasm?: "files" | "inlined" }} [options]
 * the page that is opened, and how its one wasm comes
 */
function bundled(name, [tool, ...args], { page = "/", wasm, ...variant } = {}) {
  consumer(name, packages[tool] ?? tool, async () => {
    const path = folder(name, variant);
    await run(tool, args, { cwd: path });
    const dist = join(path, "dist");
    if (variant.script === fromUrl.script) hostWasm(dist);
    await open((await serve(dist)) + page, variant);
    return oneWasm(emitted(dist), { wasm, ...variant });
  });
}

/** The packages whose programs have other names. @type {Record<string, string>} */
const packages = { rspack: "@rspack/core" };

/**
 * An app that is served as it is, beside the installed package.
 *
 * @param {string} name
 * @param {import("./folder.js").Variant & { page?: string }} options
 */
function unbuilt(name, { page = "/", ...variant }) {
  consumer(name, version, async () => {
    await open((await serve(folder(name, variant), root)) + page, variant);
  });
}

/** A module of the installed package, as a page names it. */
const module = (/** @type {string} */ name) => `/node_modules/csm-image-to-3d/${name}.js`;

const external = /** @type {const} */ ({ entry: "csm-image-to-3d/external", wasm: "files" });
/** Not every bundler knows of files: the app says where it put this one. */
const fromUrl = { ...external, script: "from-url.js", page: `/?wasm=/${wasmName}` };
const worker = { script: "with-worker.js" };
const sandbox = { sandbox: "csm-image-to-3d/sandbox" };
const serviceWorker = { script: "with-service-worker.js" };

/** Declares the tests: the slowest first, so that they run beside the others. */
export function built() {
  next("Next.js");
  next("Next.js, sandbox", sandbox);
  for (const [name, command] of /** @type {const} */ ([
    ["Parcel", ["parcel", "build", "index.html"]],
    ["webpack", ["webpack", "--mode", "production"]],
    ["Rspack", ["rspack", "build", "--mode", "production"]],
    ["Vite", ["vite", "build"]],
  ])) {
    bundled(name, command);
    bundled(`${name}, external`, command, external);
    bundled(`${name}, worker`, command, worker);
    bundled(`${name}, sandbox`, command, sandbox);
    bundled(`${name}, worker, sandbox`, command, { ...worker, ...sandbox });
  }
  viteDev("Vite, dev server");
  viteDev("Vite, dev server, external", external);
  viteDev("Vite, dev server, sandbox", sandbox);
  const rollup = ["--plugin", "node-resolve", "--dir", "dist", "--entryFileNames", "main.js"];
  bundled("Rollup", ["rollup", "src/index.js", ...rollup]);
  bundled("Rollup, sandbox", ["rollup", "src/index.js", ...rollup], sandbox);
  bundled("Rollup, external", ["rollup", "src/index.js", ...rollup], fromUrl);
  const esbuild = ["main=src/index.js", "--bundle", "--minify", "--outdir=dist"];
  bundled("esbuild", ["esbuild", ...esbuild]);
  bundled("esbuild, sandbox", ["esbuild", ...esbuild], sandbox);
  bundled("esbuild, external", ["esbuild", ...esbuild, "--format=esm"], fromUrl);
  bundled("esbuild, splitting", ["esbuild", ...esbuild, "--splitting", "--format=esm"]);
  bundled("esbuild, service worker", ["esbuild", ...esbuild, "worker=src/in-service-worker.js"], {
    ...serviceWorker,
    page: "/?worker=/worker.js",
  });
  unbuilt("no tool", { entry: module("index") });
  unbuilt("no tool, external", { entry: module("external") });
  unbuilt("no tool, sandbox", { entry: module("index"), sandbox: module("sandbox") });
  unbuilt("no tool, worker", { entry: module("index"), ...worker });
  unbuilt("no tool, worker, sandbox", {
    entry: module("index"),
    sandbox: module("sandbox"),
    ...worker,
  });
  unbuilt("no tool, service worker", {
    entry: module("static"),
    page: "/?worker=/src/in-service-worker.js",
    ...serviceWorker,
  });
}

/**
 * The page is rendered on the server, by a component that uses the library there too.
 *
 * @param {string} name
 * @param {import("./folder.js").Variant} [variant]
 */
function next(name, variant) {
  consumer(name, "next", async () => {
    const path = folder(name, { with: "tests/consumers/next", ...variant });
    await run("next", ["build"], { cwd: path });
    const port = String(await freePort());
    const flags = ["start", "--hostname", "127.0.0.1", "--port", port];
    const { stop } = await start("next", flags, /Ready in/, { cwd: path });
    const address = `http://127.0.0.1:${port}/`;
    const html = await (await fetch(address)).text();
    assert.match(html, /preview from the server/);
    await open(address, variant);
    stop();
    return oneWasm(emitted(join(path, ".next/static")), variant);
  });
}

/**
 * @param {string} name
 * @param {import("./folder.js").Variant} [variant]
 */
function viteDev(name, variant) {
  consumer(name, "vite", async () => {
    const path = folder(name, variant);
    const port = String(await freePort());
    const flags = ["--host", "127.0.0.1", "--port", port, "--strictPort"];
    const { stop } = await start("vite", flags, /ready in/, { cwd: path });
    await open(`http://127.0.0.1:${port}/`, variant);
    stop();
  });
}
