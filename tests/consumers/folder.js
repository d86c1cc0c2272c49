// Where the consumers are built: a folder of their own, with the tools and the packed package in
// its `node_modules`, so that nothing is found in this project's own.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const sources = "tests/consumers";
const modules = resolve("target/consumers/node_modules");

/** The folder that holds all consumers. */
export const root = resolve("target/consumers");

/** Installs the tools, as the lock file has them, and the package, as it would be published. */
function install() {
  mkdirSync(root, { recursive: true });
  for (const name of readdirSync(root)) {
    if (name !== "node_modules") rmSync(join(root, name), { recursive: true });
  }
  for (const name of ["package.json", "package-lock.json"]) {
    cpSync(join(sources, name), join(root, name));
  }
  const npm = (/** @type {string} */ cwd, /** @type {string[]} */ ...args) =>
    execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const packed = npm("pkg", "pack", "--silent", "--pack-destination", root);
  // Not `npm ci`: that refuses a lock that lacks another platform's optional packages.
  const quiet = ["--no-save", "--no-audit", "--no-fund", "--prefer-offline"];
  npm(root, "install", ...quiet, `./${packed}`);
  return join(root, packed);
}

/** The package as it would be published. */
export const tarball = install();

/**
 * @typedef {object} Variant
 * @property {string} [entry] what the app imports the library from
 * @property {string} [script] which of its modules is the page's
 * @property {string} [sandbox] what the app imports the sandbox from, where it has one
 * @property {string} [with] a further folder to copy
 */

/**
 * A consumer's own folder: the app that all have, and what is the consumer's own.
 *
 * @param {string} name
 * @param {Variant} [variant]
 */
export function folder(
  name,
  { entry = "csm-image-to-3d", script = "index.js", sandbox, ...more } = {},
) {
  const path = join(root, name.replaceAll(/\W+/g, "-"));
  for (const from of [join(sources, "app"), more.with]) {
    if (from) cpSync(from, path, { recursive: true });
  }
  writeFileSync(join(path, "src/library.js"), `export * from ${JSON.stringify(entry)};\n`);
  if (sandbox) {
    writeFileSync(join(path, "src/sandbox.js"), `export * from ${JSON.stringify(sandbox)};\n`);
    cpSync(join(path, "src/model-in-sandbox.js"), join(path, "src/model.js"));
  }
  if (script !== "index.js") cpSync(join(path, "src", script), join(path, "src/index.js"));
  return path;
}

/**
 * The version of a tool that is installed for the consumers.
 *
 * @param {string} tool
 */
export const version = (tool) =>
  JSON.parse(readFileSync(join(modules, tool, "package.json"), "utf8")).version;

const library = join(modules, "csm-image-to-3d/wasm");

/** The name of the package's wasm, and the wasm. */
export const wasmName = String(readdirSync(library).find((name) => name.endsWith(".wasm")));
const wasm = readFileSync(join(library, wasmName));

/** The sandbox's. @type {{ base64: string }} */
const sandboxWasm = await import(join(library, "sandbox_inlined.js"));

/**
 * Puts the package's wasm into a folder, as one does who hosts it oneself.
 *
 * @param {string} path
 */
export const hostWasm = (path) => writeFileSync(join(path, wasmName), wasm);

/**
 * What a build wrote: all bytes but those of source maps, and how many copies of the library's wasm
 * are in them, as files of their own and as text, and of the sandbox's.
 *
 * @param {string} path
 */
export function emitted(path) {
  let bytes = 0;
  let files = 0;
  let inlined = 0;
  let sandboxes = 0;
  const base64 = wasm.toString("base64");
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.endsWith(".map")) continue;
    const content = readFileSync(join(entry.parentPath ?? entry.path, entry.name));
    bytes += content.length;
    if (content.equals(wasm)) files++;
    const text = content.toString("latin1");
    inlined += text.split(base64).length - 1;
    sandboxes += text.split(sandboxWasm.base64).length - 1;
  }
  return { bytes, files, inlined, sandboxes };
}

/**
 * A build must hold the wasm once, and the sandbox's only where the app has one.
 *
 * @param {ReturnType<typeof emitted>} output
 * @param {{ wasm?: "files" | "inlined", sandbox?: string }} [expected]
 */
export function oneWasm(output, { wasm = "inlined", sandbox } = {}) {
  const { bytes, ...wasms } = output;
  assert.deepEqual(
    wasms,
    { files: 0, inlined: 0, sandboxes: sandbox ? 1 : 0, [wasm]: 1 },
    `exactly one wasm, and a sandbox's only if asked for, in ${bytes} bytes`,
  );
  return output;
}
