// The folder in which the consumers are built. Its `node_modules` holds the tools and the packed
// package, so that no module resolves to this project's own `node_modules`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const sources = "tests/consumers";
const nodeModules = resolve("target/consumers/node_modules");

/** The folder that holds all consumers. */
export const root = resolve("target/consumers");

/** Installs the tools of the lock file, and the package as it would be published. */
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
  // `npm ci` rejects a lock file without the optional packages of other platforms.
  const quiet = ["--no-save", "--no-audit", "--no-fund", "--prefer-offline"];
  npm(root, "install", ...quiet, `./${packed}`);
  return join(root, packed);
}

/** The path of the packed package. */
export const tarball = install();

/**
 * @typedef {object} Variant
 * @property {string} [entry] the module specifier of the library
 * @property {string} [script] the module in `app/src` that is the entry point
 * @property {string} [sandbox] the module specifier of the sandbox, for an app that uses it
 * @property {"network" | "background"} [cutout] how the sandbox has to cut out objects
 * @property {string} [cutoutFiles] the path of the copied files of the cut-out network
 * @property {string} [overlay] a folder that is copied over the app
 */

/**
 * Creates the app of a consumer.
 *
 * @param {string} name
 * @param {Variant} [variant]
 * @returns {string} its folder
 */
export function createApp(
  name,
  { entry = "csm-image-to-3d", script = "index.js", sandbox, cutoutFiles, overlay } = {},
) {
  const path = join(root, name.replaceAll(/\W+/g, "-"));
  for (const from of [join(sources, "app"), overlay]) {
    if (from) cpSync(from, path, { recursive: true });
  }
  writeFileSync(join(path, "src/library.js"), `export * from ${JSON.stringify(entry)};\n`);
  if (sandbox) {
    writeFileSync(join(path, "src/sandbox.js"), `export * from ${JSON.stringify(sandbox)};\n`);
    cpSync(join(path, "src/model-in-sandbox.js"), join(path, "src/model.js"));
  }
  if (cutoutFiles) {
    const url = `new URL(${JSON.stringify(cutoutFiles)}, location.href).href`;
    writeFileSync(join(path, "src/cutout-files.js"), `export const cutoutFiles = ${url};\n`);
  }
  if (script !== "index.js") cpSync(join(path, "src", script), join(path, "src/index.js"));
  return path;
}

/**
 * Returns the installed version of a tool.
 *
 * @param {string} tool
 */
export const versionOf = (tool) =>
  JSON.parse(readFileSync(join(nodeModules, tool, "package.json"), "utf8")).version;

const library = join(nodeModules, "csm-image-to-3d/wasm");

/** The file name of the library's WebAssembly. */
export const wasmName = String(readdirSync(library).find((name) => name.endsWith(".wasm")));
const wasm = readFileSync(join(library, wasmName));

const network = join(library, "cutout");
const weightsName = readdirSync(network).find((name) => name.endsWith(".onnx"));
const weights = readFileSync(join(network, String(weightsName)));

/** The WebAssembly of the sandbox. @type {{ base64: string }} */
const sandboxWasm = await import(join(library, "sandbox_inlined.js"));

/**
 * Copies the library's WebAssembly to a folder, like an app that hosts it itself.
 *
 * @param {string} path
 */
export const copyWasm = (path) => writeFileSync(join(path, wasmName), wasm);

/**
 * Copies the files of the cut-out network, like an app whose bundler does not.
 *
 * @param {string} path
 */
export const copyNetwork = (path) => cpSync(network, path, { recursive: true });

/**
 * Measures the output of a build.
 *
 * @param {string} path
 * @returns the number of bytes without source maps, the number of copies of the library's WebAssembly
 *   as `files` and `inlined` text, the number of copies of the sandbox's, and that of the files with
 *   the weights of the cut-out network
 */
export function measureBuild(path) {
  let bytes = 0;
  let files = 0;
  let inlined = 0;
  let sandboxes = 0;
  let networks = 0;
  const base64 = wasm.toString("base64");
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.endsWith(".map")) continue;
    const content = readFileSync(join(entry.parentPath ?? entry.path, entry.name));
    bytes += content.length;
    if (content.equals(wasm)) files++;
    if (content.equals(weights)) networks++;
    const text = content.toString("latin1");
    inlined += text.split(base64).length - 1;
    sandboxes += text.split(sandboxWasm.base64).length - 1;
  }
  return { bytes, files, inlined, sandboxes, networks };
}

/**
 * Asserts that a build contains the library's WebAssembly once, the sandbox's only if the app uses the
 * sandbox, and the weights of the cut-out network only if the network is used.
 *
 * @param {ReturnType<typeof measureBuild>} output
 * @param {{ wasm?: "files" | "inlined", sandbox?: string, cutout?: string }} [expected]
 */
export function assertSingleWasm(output, { wasm = "inlined", sandbox, cutout } = {}) {
  const { bytes, ...copies } = output;
  assert.deepEqual(
    copies,
    {
      files: 0,
      inlined: 0,
      sandboxes: sandbox ? 1 : 0,
      networks: cutout === "network" ? 1 : 0,
      [wasm]: 1,
    },
    `wrong copies of the WebAssembly in ${bytes} bytes`,
  );
  return output;
}
