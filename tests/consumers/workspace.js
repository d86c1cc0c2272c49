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
 * @property {string} [sandboxWasm] the URL that the app passes to `load` of the sandbox
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
  {
    entry = "csm-image-to-3d",
    script = "index.js",
    sandbox,
    sandboxWasm,
    cutoutFiles,
    overlay,
  } = {},
) {
  const path = join(root, name.replaceAll(/\W+/g, "-"));
  for (const from of [join(sources, "app"), overlay]) {
    if (from) cpSync(from, path, { recursive: true });
  }
  writeFileSync(join(path, "src/library.js"), `export * from ${JSON.stringify(entry)};\n`);
  if (sandbox) {
    const specifier = JSON.stringify(sandbox);
    const load = sandboxWasm
      ? `import { load } from ${specifier};\nawait load(${JSON.stringify(sandboxWasm)});\n`
      : "";
    writeFileSync(join(path, "src/sandbox.js"), `${load}export * from ${specifier};\n`);
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
 * Copies an example without what tools have written into it.
 *
 * @param {string} name
 * @param {string} [path]
 * @returns its folder
 */
export function copyExample(name, path = join(root, name)) {
  const filter = (/** @type {string} */ path) => !/\/(node_modules|\.next)$/.test(path);
  cpSync(`examples/${name}`, path, { recursive: true, filter });
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
export const wasmName = findWasm("csm_image_to_3d");
const wasm = readFileSync(join(library, wasmName));

/** The file name of the sandbox's WebAssembly. */
export const sandboxWasmName = findWasm("sandbox");
const sandboxWasm = readFileSync(join(library, sandboxWasmName));
const sandboxBase64 = sandboxWasm.toString("base64");

/** @param {string} start of the file's name, before the hash of its content */
function findWasm(start) {
  const isWasm = (/** @type {string} */ name) =>
    name.startsWith(`${start}-`) && name.endsWith(".wasm");
  return String(readdirSync(library).find(isWasm));
}

const network = join(library, "cutout");
const weightsName = readdirSync(network).find((name) => name.endsWith(".onnx"));
const weights = readFileSync(join(network, String(weightsName)));

/**
 * Copies the library's WebAssembly to a folder, like an app that hosts it itself.
 *
 * @param {string} path
 */
export const copyWasm = (path) => writeFileSync(join(path, wasmName), wasm);

/**
 * Copies the sandbox's WebAssembly to a folder, like an app that hosts it itself.
 *
 * @param {string} path
 */
export const copySandboxWasm = (path) => writeFileSync(join(path, sandboxWasmName), sandboxWasm);

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
 *   as `files` and `inlined` text, those of the sandbox's in `sandboxFiles` and `sandboxes`, and the
 *   number of files with the weights of the cut-out network
 */
export function measureBuild(path) {
  let bytes = 0;
  let files = 0;
  let inlined = 0;
  let sandboxFiles = 0;
  let sandboxes = 0;
  let networks = 0;
  const base64 = wasm.toString("base64");
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.endsWith(".map")) continue;
    const content = readFileSync(join(entry.parentPath ?? entry.path, entry.name));
    bytes += content.length;
    if (content.equals(wasm)) files++;
    if (content.equals(sandboxWasm)) sandboxFiles++;
    if (content.equals(weights)) networks++;
    const text = content.toString("latin1");
    inlined += text.split(base64).length - 1;
    sandboxes += text.split(sandboxBase64).length - 1;
  }
  return { bytes, files, inlined, sandboxFiles, sandboxes, networks };
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
      sandboxFiles: sandbox?.endsWith("/external") ? 1 : 0,
      sandboxes: sandbox && !sandbox.endsWith("/external") ? 1 : 0,
      networks: cutout === "network" ? 1 : 0,
      [wasm]: 1,
    },
    `wrong copies of the WebAssembly in ${bytes} bytes`,
  );
  return output;
}
