// The worker of the cut-out network: downloads its files, or takes them from the browser's cache, and
// runs it. This file must not import anything: the source of the worker is the WebAssembly's glue
// followed by this file.

/** @typedef {Pick<typeof import("../wasm/cutout.js"), "Network" | "initSync" | "takePanic">} Glue */

/**
 * @typedef {object} NetworkFile
 * @property {string} name contains a hash of the content
 * @property {number} size in bytes
 * @property {string} hash the start of the content's SHA-256, in hexadecimal digits
 * @property {string} url
 */

/**
 * A message to the worker, after the first one with the files.
 *
 * @typedef {{ id: number, pixels: Uint8Array }} NetworkRequest
 */

/**
 * A message from the worker: the part of the files that is loaded, from 0 to 1; the result of a request;
 * or the reason why the worker is of no more use.
 *
 * @typedef {{ loaded: number } | { id: number, logits: Float32Array<ArrayBuffer> } | { failure: string }}
 *   NetworkMessage
 */

/** The cache of the files, which only this package uses. */
const CACHE = "csm-image-to-3d cut-out";

/** How long an operation of the cache may take, in milliseconds. Then the file is downloaded. */
const CACHE_TIMEOUT = 5_000;

/** How long a download may be without progress, in milliseconds. */
const STALL_TIMEOUT = 30_000;

/**
 * The worker's entry point: the first message has the files, all further messages are requests.
 *
 * @param {Glue} glue
 */
export function runNetworkWorker(glue) {
  const send = (/** @type {NetworkMessage} */ message) => {
    postMessage(message, { transfer: "logits" in message ? [message.logits.buffer] : [] });
  };
  /** @type {Promise<InstanceType<Glue["Network"]>>} */
  let network;
  onmessage = ({ data: files }) => {
    network = loadNetwork(glue, files, (loaded) => send({ loaded }));
    onmessage = ({ data: request }) => respond(request);
  };

  /** @param {NetworkRequest} request */
  async function respond({ id, pixels }) {
    try {
      const logits = (await network).segment(pixels);
      send({ id, logits: /** @type {Float32Array<ArrayBuffer>} */ (logits) });
    } catch (cause) {
      const panic = cause instanceof WebAssembly.RuntimeError && glue.takePanic();
      send({ failure: panic || /** @type {Error} */ (cause).message });
    }
  }
}

/**
 * @param {Glue} glue
 * @param {NetworkFile[]} files the WebAssembly and the weights
 * @param {(loaded: number) => void} onProgress
 */
async function loadNetwork(glue, files, onProgress) {
  const [wasm, weights] = await loadFiles(files, onProgress);
  glue.initSync({ module: await WebAssembly.compile(wasm) });
  return new glue.Network(weights);
}

/**
 * Returns the contents of the files, from the browser's cache if they are there.
 *
 * @param {NetworkFile[]} files
 * @param {(loaded: number) => void} onProgress receives the loaded part, from 0 to 1
 */
export async function loadFiles(files, onProgress) {
  const cache = await openCache();
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let loaded = 0;
  const report = (/** @type {number} */ bytes) => onProgress((loaded += bytes) / total);
  const contents = await Promise.all(files.map((file) => loadFile(file, cache, report)));
  // Replaces the files of other versions of the package.
  const keys = files.map(cacheKey);
  for (const { url } of (await ifCacheResponds(cache?.keys())) ?? []) {
    if (!keys.includes(url)) await ifCacheResponds(cache?.delete(url));
  }
  return contents;
}

/** Returns `undefined` where there is no cache: without HTTPS, or if the browser's settings forbid it. */
async function openCache() {
  if (typeof caches === "undefined") return undefined;
  return ifCacheResponds(caches.open(CACHE));
}

/**
 * Returns the result of an operation of the cache, or `undefined` if it fails or takes too long: the
 * network must not depend on the cache.
 *
 * @template T
 * @param {Promise<T> | undefined} operation
 * @returns {Promise<T | undefined>}
 */
function ifCacheResponds(operation) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CACHE_TIMEOUT, undefined);
    (operation ?? Promise.resolve(undefined))
      .then(resolve, () => resolve(undefined))
      .finally(() => clearTimeout(timer));
  });
}

/** The key of a file does not depend on its URL: a bundler may rename the file. */
const cacheKey = (/** @type {NetworkFile} */ { name }) => `https://csm-image-to-3d.invalid/${name}`;

/**
 * @param {NetworkFile} file
 * @param {Cache | undefined} cache
 * @param {(bytes: number) => void} report
 */
async function loadFile(file, cache, report) {
  const stored = await ifCacheResponds(cache?.match(cacheKey(file)));
  if (stored) {
    const content = new Uint8Array(await stored.arrayBuffer());
    if (await isIntact(file, content)) {
      report(file.size);
      return content;
    }
  }
  const content = await download(file, report);
  if (!(await isIntact(file, content))) {
    throw new Error(
      `${file.url} has another content than expected (see the option cutoutFiles of createSandbox)`,
    );
  }
  // Without space for it, the file is downloaded again the next time.
  await ifCacheResponds(cache?.put(cacheKey(file), new Response(content)));
  return content;
}

/**
 * Downloads a file.
 *
 * @param {NetworkFile} file
 * @param {(bytes: number) => void} report
 */
async function download({ url, size }, report) {
  const aborter = new AbortController();
  const stalled = () => aborter.abort(new Error(`no data for ${STALL_TIMEOUT / 1000} s`));
  let timer = setTimeout(stalled, STALL_TIMEOUT);
  try {
    const { signal } = aborter;
    const response = await fetch(url, { signal });
    if (!response.ok) {
      throw new Error(`HTTP ${response.status} (see the option cutoutFiles of createSandbox)`);
    }
    const content = new Uint8Array(size);
    let length = 0;
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    for (let chunk; (chunk = (await reader.read()).value);) {
      clearTimeout(timer);
      timer = setTimeout(stalled, STALL_TIMEOUT);
      if (length + chunk.length > size) throw new Error(`more than ${size} bytes`);
      content.set(chunk, length);
      length += chunk.length;
      report(chunk.length);
    }
    if (length < size) throw new Error(`${length} bytes instead of ${size}`);
    return content;
  } catch (cause) {
    aborter.abort();
    const reason = /** @type {Error} */ (cause).message;
    throw new Error(`${url} cannot be downloaded: ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether a file has the content that its name promises. Without HTTPS browsers have no hash function,
 * and no cache.
 *
 * @param {NetworkFile} file
 * @param {Uint8Array<ArrayBuffer>} content
 */
async function isIntact({ hash, size }, content) {
  if (content.length !== size) return false;
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const digits = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"));
  return digits.join("").startsWith(hash);
}
