// Apps that import the package, built with bundlers and run in Chromium.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";

import { server, startChromium } from "../support/browsers.js";
import {
  assertSingleWasm,
  copyNetwork,
  copySandboxWasm,
  copyWasm,
  createApp,
  measureBuild,
  root,
  sandboxWasmName,
  wasmName,
} from "./workspace.js";
import { findFreePort, run, serveFiles, start } from "./programs.js";
import { assertSession, consumer } from "./report.js";

const browser = await startChromium();
after(() => browser.close());

export const chromiumVersion = `Chromium ${browser.version()}`;

/**
 * Opens a page and uses it. Fails with what the page logged.
 *
 * @template T
 * @param {string} address
 * @param {(page: import("playwright-core").Page) => Promise<T>} use
 */
export async function inPage(address, use) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const logged = [];
  page.on("console", (message) => logged.push(message.text()));
  page.on("pageerror", (error) => logged.push(error.message));
  page.on("requestfailed", (request) => logged.push(`${request.url()} failed`));
  try {
    await page.goto(address);
    return await use(page);
  } catch (error) {
    throw new Error(`The page at ${address} logged: ${logged.join("\n")}`, { cause: error });
  } finally {
    await page.close();
  }
}

/**
 * Opens the app's page, and checks the session that it creates.
 *
 * @param {string} address
 * @param {import("./workspace.js").Variant} [variant]
 */
async function openApp(address, variant) {
  const url = new URL(address);
  url.searchParams.set("server", server);
  const result = await inPage(String(url), async (page) => {
    await page.waitForFunction("globalThis.result", undefined, { timeout: 60_000 });
    return page.evaluate("globalThis.result.catch(String)");
  });
  await assertSession(result, variant);
}

/**
 * Tests an app that a command builds into `dist`.
 *
 * @param {string} name
 * @param {readonly string[]} command
 * @param {import("./workspace.js").Variant & { page?: string, wasm?: "files" | "inlined" }} [options]
 *   `page`: the page to open; `wasm`: how the build delivers the WebAssembly
 */
function bundled(name, [tool, ...args], { page = "/", wasm, ...variant } = {}) {
  consumer(name, packages[tool] ?? tool, async () => {
    const path = createApp(name, variant);
    await run(tool, args, { cwd: path });
    const dist = join(path, "dist");
    if (variant.script === fromUrl.script) copyWasm(dist);
    if (variant.sandboxWasm) copySandboxWasm(dist);
    if (variant.cutoutFiles) copyNetwork(join(dist, variant.cutoutFiles));
    await openApp((await serveFiles(dist)) + page, variant);
    return assertSingleWasm(measureBuild(dist), { wasm, ...variant });
  });
}

/** The packages of commands with another name. @type {Record<string, string>} */
const packages = { rspack: "@rspack/core" };

/**
 * Tests an app without a bundler, served beside the installed package.
 *
 * @param {string} name
 * @param {import("./workspace.js").Variant & { page?: string }} options
 */
function unbundled(name, { page = "/", ...variant }) {
  consumer(name, chromiumVersion, async () => {
    await openApp((await serveFiles(createApp(name, variant), root)) + page, variant);
  });
}

/** Returns the URL of a module of the installed package. */
const moduleUrl = (/** @type {string} */ name) => `/node_modules/csm-image-to-3d/${name}.js`;

const external = /** @type {const} */ ({ entry: "csm-image-to-3d/external", wasm: "files" });
/** For bundlers that cannot emit files: the app passes the URL of the WebAssembly. */
const fromUrl = { ...external, script: "from-url.js", page: `/?wasm=/${wasmName}` };
const worker = { script: "with-worker.js" };
/** Bundlers that emit files also emit those of the cut-out network. */
const sandbox = /** @type {const} */ ({ sandbox: "csm-image-to-3d/sandbox", cutout: "network" });
/** For bundlers that cannot emit files. */
const sandboxWithoutFiles = /** @type {const} */ ({ ...sandbox, cutout: "background" });
const sandboxWithCopy = { ...sandbox, cutoutFiles: "/cutout/" };
const externalSandbox = { ...sandbox, sandbox: "csm-image-to-3d/sandbox/external" };
/** For bundlers that cannot emit files: the app passes the URL of the sandbox's WebAssembly. */
const sandboxFromUrl = {
  ...externalSandbox,
  sandboxWasm: `/${sandboxWasmName}`,
  cutoutFiles: "/cutout/",
};
const serviceWorker = { script: "with-service-worker.js" };

/** Defines the tests. The slowest come first, so that they run in parallel with the rest. */
export function bundlers() {
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
    bundled(`${name}, external sandbox`, command, externalSandbox);
    bundled(`${name}, worker, sandbox`, command, { ...worker, ...sandbox });
  }
  viteDev("Vite, dev server");
  viteDev("Vite, dev server, external", external);
  viteDev("Vite, dev server, sandbox", { ...sandbox, overlay: "tests/consumers/vite" });
  viteDev("Vite, dev server, external sandbox", {
    ...externalSandbox,
    overlay: "tests/consumers/vite",
  });
  const rollup = ["--plugin", "node-resolve", "--dir", "dist", "--entryFileNames", "main.js"];
  bundled("Rollup", ["rollup", "src/index.js", ...rollup]);
  bundled("Rollup, sandbox", ["rollup", "src/index.js", ...rollup], sandboxWithoutFiles);
  bundled("Rollup, sandbox, copied files", ["rollup", "src/index.js", ...rollup], sandboxWithCopy);
  bundled("Rollup, external", ["rollup", "src/index.js", ...rollup], fromUrl);
  bundled("Rollup, external sandbox", ["rollup", "src/index.js", ...rollup], sandboxFromUrl);
  const esbuild = ["main=src/index.js", "--bundle", "--minify", "--outdir=dist"];
  bundled("esbuild", ["esbuild", ...esbuild]);
  bundled("esbuild, sandbox", ["esbuild", ...esbuild], sandboxWithoutFiles);
  bundled("esbuild, sandbox, copied files", ["esbuild", ...esbuild], sandboxWithCopy);
  bundled("esbuild, external", ["esbuild", ...esbuild, "--format=esm"], fromUrl);
  bundled("esbuild, external sandbox", ["esbuild", ...esbuild, "--format=esm"], sandboxFromUrl);
  bundled("esbuild, splitting", ["esbuild", ...esbuild, "--splitting", "--format=esm"]);
  bundled("esbuild, service worker", ["esbuild", ...esbuild, "worker=src/in-service-worker.js"], {
    ...serviceWorker,
    page: "/?worker=/worker.js",
  });
  unbundled("no tool", { entry: moduleUrl("index") });
  unbundled("no tool, external", { entry: moduleUrl("external") });
  unbundled("no tool, sandbox", {
    entry: moduleUrl("index"),
    sandbox: moduleUrl("sandbox"),
    cutout: "network",
  });
  unbundled("no tool, external sandbox", {
    entry: moduleUrl("index"),
    sandbox: moduleUrl("sandbox/external"),
    cutout: "network",
  });
  unbundled("no tool, worker", { entry: moduleUrl("index"), ...worker });
  unbundled("no tool, worker, sandbox", {
    entry: moduleUrl("index"),
    sandbox: moduleUrl("sandbox"),
    cutout: "network",
    ...worker,
  });
  unbundled("no tool, service worker", {
    entry: moduleUrl("static"),
    page: "/?worker=/src/in-service-worker.js",
    ...serviceWorker,
  });
}

/**
 * Tests Next.js, whose server also renders a component that uses the library.
 *
 * @param {string} name
 * @param {import("./workspace.js").Variant} [variant]
 */
function next(name, variant) {
  consumer(name, "next", async () => {
    const path = createApp(name, { overlay: "tests/consumers/next", ...variant });
    await run("next", ["build"], { cwd: path });
    const port = String(await findFreePort());
    const flags = ["start", "--hostname", "127.0.0.1", "--port", port];
    const { stop } = await start("next", flags, /Ready in/, { cwd: path });
    const address = `http://127.0.0.1:${port}/`;
    const html = await (await fetch(address)).text();
    assert.match(html, /preview from the server/);
    await openApp(address, variant);
    stop();
    return assertSingleWasm(measureBuild(join(path, ".next/static")), variant);
  });
}

/**
 * Tests the development server of Vite.
 *
 * @param {string} name
 * @param {import("./workspace.js").Variant} [variant]
 */
function viteDev(name, variant) {
  consumer(name, "vite", async () => {
    const path = createApp(name, variant);
    const port = String(await findFreePort());
    const flags = ["--host", "127.0.0.1", "--port", port, "--strictPort"];
    const { stop } = await start("vite", flags, /ready in/, { cwd: path });
    await openApp(`http://127.0.0.1:${port}/`, variant);
    stop();
  });
}
