// The entry whose WebAssembly is a separate file, which the first request fetches.

import { size, url } from "../wasm/sandbox_url.js";
import { defineCreateSandbox } from "./create.js";
import { loadApi } from "./host.js";

/** @import { LoadProgress } from "./external.js" */

/** @type {string | URL | BufferSource | WebAssembly.Module | undefined} */
let source;

/**
 * The callbacks of the calls of `load` that are waiting.
 *
 * @type {Set<(progress: LoadProgress) => void>}
 */
const listeners = new Set();

export const createSandbox = defineCreateSandbox(compile);

/** @type {typeof import("./external.js").load} */
export async function load(from, { onProgress } = {}) {
  source = from;
  // A function of its own, because two calls may pass the same callback.
  const listener = (/** @type {LoadProgress} */ progress) => onProgress?.(progress);
  listeners.add(listener);
  try {
    await loadApi(compile);
  } finally {
    listeners.delete(listener);
  }
}

async function compile() {
  const from = source ?? url();
  if (typeof from === "string" || from instanceof URL) {
    return WebAssembly.compile(await download(from));
  }
  return from instanceof WebAssembly.Module ? from : WebAssembly.compile(from);
}

/**
 * Downloads the WebAssembly. Counts its bytes after decompression, unlike the response's
 * `content-length`.
 *
 * @param {string | URL} from
 */
async function download(from) {
  const response = await fetch(from);
  if (!response.ok) throw new Error(`${from} responded with HTTP ${response.status}`);
  let loaded = 0;
  const report = () => listeners.forEach((listener) => listener({ loaded, total: size }));
  report();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  const reader = response.body?.getReader();
  for (let chunk; reader && (chunk = await reader.read()) && chunk.value;) {
    chunks.push(chunk.value);
    loaded += chunk.value.length;
    report();
  }
  return new Blob(chunks).arrayBuffer();
}
