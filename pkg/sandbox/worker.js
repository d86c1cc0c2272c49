// Handles requests with the WebAssembly and runs the jobs that are due: in a worker, or on the
// caller's thread where no worker can be started. This file must not import anything: the source of
// the worker is the WebAssembly's glue followed by this file.

/** @import { Network, NetworkCommand, NetworkReply, NetworkSettings } from "./network.js" */
/** @typedef {Pick<typeof import("../wasm/sandbox.js"), "Api" | "initSync" | "resetInstance">} Glue */

/** @typedef {import("../wasm/sandbox.js").Job} Job */

/**
 * @typedef {object} WorkerSettings
 * @property {WebAssembly.Module} module
 * @property {number} speed
 * @property {number} seed
 * @property {NetworkSettings | { failure: string }} network the cut-out network, or the reason why it
 *   cannot be used
 */

/**
 * A message from the host to the worker.
 *
 * @typedef {object} HostRequest
 * @property {number} id repeated in the response
 * @property {string} method
 * @property {string} path including the query
 * @property {string[]} headers alternating names and values
 * @property {Blob} [body]
 */

/**
 * @typedef {object} ApiResponse
 * @property {number} status
 * @property {string[]} headers alternating names and values
 * @property {Uint8Array<ArrayBuffer>} body
 * @property {string} [delivery] the simulated network fault, if there is one
 * @property {Uint32Array} [chunkPlan] for a body that is sent in chunks: the size of a chunk and the
 *   number of bytes to send, in bytes, and the pause between chunks in milliseconds
 */

/**
 * A message from the worker to the host. `response` is missing if the request is not valid HTTP.
 * After `crash`, which is the reason, no further message follows.
 *
 * @typedef {{ id: number, response?: ApiResponse } | { crash: string }} HostResponse
 */

/**
 * Another message from the worker to the host, and one in the other direction.
 *
 * @typedef {{ network: NetworkCommand }} NetworkCommandMessage
 * @typedef {{ network: NetworkReply }} NetworkReplyMessage
 */

/**
 * The exports of the WebAssembly that decode in an instance of its own. They take and return numbers
 * only, so that they can be called without the glue.
 *
 * @typedef {WebAssembly.Exports & {
 *   memory: WebAssembly.Memory,
 *   reserveInput(length: number): number,
 *   tryCreate(): void,
 *   tryDecode(): void,
 * }} DecoderExports
 */

/** Limits for an image that is fetched from its URL: in bytes and in milliseconds. */
const MAX_IMAGE_BYTES = 32 * 1024 * 1024;
const FETCH_TIMEOUT = 30_000;

/** The width and the height of the images that the cut-out network takes, in pixels. */
const NETWORK_EDGE = 320;

/** The part of a job's progress that loading the cut-out network takes. */
const LOADING_PART = 0.5;

/** In milliseconds. A longer timer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Counts the WebAssembly instances of this thread. All sandboxes on a thread share the current one. */
let currentInstance = 0;

/**
 * Starts the API without any sessions.
 *
 * @param {Glue} glue
 * @param {WorkerSettings} settings
 * @param {(message: HostResponse) => void} send
 * @param {(settings: NetworkSettings) => Network} [createNetwork] missing where no worker can be started
 * @returns {{ handle(request: HostRequest): Promise<void>, network?: Network, close(): void }}
 */
export function startApi(glue, { module, speed, seed, network: settings }, send, createNetwork) {
  glue.initSync({ module });
  const instance = currentInstance;
  const api = callWasm(() => new glue.Api(speed, seed, Date.now()));
  const network = "files" in settings ? createNetwork?.(settings) : undefined;
  const closed = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /**
   * Calls the WebAssembly. An exception ends the instance for all sandboxes that share it.
   *
   * @template T
   * @param {() => T} call
   * @returns {T}
   */
  function callWasm(call) {
    if (instance !== currentInstance) {
      throw new Error("another sandbox that shares its memory crashed");
    }
    try {
      return call();
    } catch (cause) {
      currentInstance++;
      throw new Error(glue.resetInstance() ?? /** @type {Error} */ (cause).message);
    }
  }

  /** @param {HostRequest} request */
  async function respond({ id, method, path, headers, body }) {
    const bytes = body ? new Uint8Array(await body.arrayBuffer()) : new Uint8Array();
    // Requests for a preview or a refinement have no image.
    const hasImage = method === "POST" && !path.includes("/get-3d/");
    const crashes = hasImage && (await crashesDecoder(module, "tryCreate", bytes));
    await runDueJobs();
    if (closed.signal.aborted) return;
    const response = callWasm(() =>
      crashes
        ? api.rejectImage(method, path, headers, Date.now())
        : api.handle(method, path, headers, bytes, Date.now()),
    );
    send({ id, response: response && toMessage(response) });
    await yieldToEventLoop();
    await runDueJobs();
  }

  /** Runs the jobs that are due, one after the other, and sets the timer for the next one. */
  async function runDueJobs() {
    while (!closed.signal.aborted) {
      const job = callWasm(() => api.nextJob(Date.now()));
      if (!job) break;
      if (job.imageUrl) {
        reportCrash(fetchAndStoreImage(job, job.imageUrl));
      } else if (network) {
        const input = callWasm(() => api.networkInput(job, NETWORK_EDGE));
        if (input) reportCrash(segmentAndRunJob(job, network, input));
        else callWasm(() => api.runJob(job));
      } else {
        runJobWithSegmentation(job, undefined, "failure" in settings ? settings.failure : "");
      }
      await yieldToEventLoop();
    }
    setTimer();
  }

  /**
   * Fetches the image of a job, which is then due without a URL.
   *
   * @param {Job} job
   * @param {string} url
   */
  async function fetchAndStoreImage(job, url) {
    /** @type {Uint8Array | undefined} */
    let image;
    /** @type {string | undefined} */
    let failure;
    try {
      const file = await fetchImage(url, closed.signal);
      if (await crashesDecoder(module, "tryDecode", file)) {
        throw new Error("the image file cannot be decoded: the decoder crashed");
      }
      image = file;
    } catch (cause) {
      failure = String(/** @type {any} */ (cause)?.message ?? cause);
      // `fetch` does not tell the two reasons apart.
      if (cause instanceof TypeError) {
        failure += " (its server is unreachable, or does not allow requests from other origins)";
      }
    }
    if (closed.signal.aborted) return;
    callWasm(() => api.storeImage(job, image, failure));
    await runDueJobs();
  }

  /**
   * Runs a job that needs the cut-out network.
   *
   * @param {Job} job
   * @param {Network} network
   * @param {Uint8Array} input
   */
  async function segmentAndRunJob(job, network, input) {
    // Many decoded images could fill the memory.
    if (network.isBusy()) callWasm(() => job.discardImage());
    /** @param {number} loaded */
    const report = (loaded) => {
      const percent = Math.floor(100 * loaded);
      const status =
        loaded < 1 ? `Loading the cut-out network (${percent} %)` : "Finding the object";
      callWasm(() => api.reportProgress(job, LOADING_PART * loaded, status));
    };
    /** @type {Float32Array | undefined} */
    let logits;
    /** @type {string | undefined} */
    let failure;
    try {
      logits = await network.segment(input, report);
    } catch (cause) {
      failure = /** @type {Error} */ (cause).message;
    }
    if (closed.signal.aborted) return;
    runJobWithSegmentation(job, logits, failure);
    await runDueJobs();
  }

  /**
   * @param {Job} job
   * @param {Float32Array | undefined} logits the output of the cut-out network
   * @param {string | undefined} failure the reason why there is none
   */
  function runJobWithSegmentation(job, logits, failure) {
    callWasm(() => {
      job.setSegmentation(NETWORK_EDGE, logits, failure);
      api.runJob(job);
    });
  }

  function setTimer() {
    clearTimeout(timer);
    if (closed.signal.aborted) return;
    const now = Date.now();
    const due = callWasm(() => api.nextDue(now));
    if (due === undefined) return;
    timer = setTimeout(() => reportCrash(runDueJobs()), Math.min(due - now, LONGEST_TIMER));
    // The timer must not keep Node.js running.
    /** @type {{ unref?(): void }} */ (timer).unref?.();
  }

  /**
   * Closes the API and reports the crash if the work fails.
   *
   * @param {Promise<void>} work
   */
  async function reportCrash(work) {
    try {
      await work;
    } catch (cause) {
      close();
      send({ crash: /** @type {Error} */ (cause).message });
    }
  }

  function close() {
    if (closed.signal.aborted) return;
    closed.abort();
    clearTimeout(timer);
    network?.close();
    if (instance === currentInstance) api.free();
  }

  return { handle: (request) => reportCrash(respond(request)), network, close };
}

/**
 * Copies a response out of the WebAssembly's memory.
 *
 * @param {import("../wasm/sandbox.js").ApiResponse} response
 * @returns {ApiResponse}
 */
function toMessage(response) {
  const { status, headers, delivery, chunkPlan } = response;
  const body = /** @type {Uint8Array<ArrayBuffer>} */ (response.intoBody());
  return { status, headers, delivery, chunkPlan, body };
}

/**
 * Returns whether the decoder crashes on an input, which WebAssembly cannot catch: decodes it in an
 * instance that holds no sessions and is then discarded.
 *
 * @param {WebAssembly.Module} module
 * @param {"tryCreate" | "tryDecode"} name the function to call: for the body of a create request, or
 *   for an image
 * @param {Uint8Array} input
 */
async function crashesDecoder(module, name, input) {
  /** @type {Record<string, Record<string, () => never>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    // Decoding calls none of them.
    (imports[from] ??= {})[name] = () => {
      throw new Error(`unexpected call of ${name}`);
    };
  }
  const instance = await WebAssembly.instantiate(module, imports);
  const { reserveInput, memory, ...exports } = /** @type {DecoderExports} */ (instance.exports);
  try {
    const address = reserveInput(input.length) >>> 0;
    new Uint8Array(memory.buffer, address, input.length).set(input);
    exports[name]();
    return false;
  } catch {
    return true;
  }
}

/** Lets the event loop deliver messages. Uses no timer, because a test may have replaced those. */
function yieldToEventLoop() {
  return new Promise((resolve) => {
    // Jest's environments with a DOM have no `MessageChannel`.
    if (typeof MessageChannel === "undefined") return void setTimeout(resolve);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(undefined);
  });
}

/**
 * Fetches the image at a URL.
 *
 * @param {string} url
 * @param {AbortSignal} closed
 * @throws if the image cannot be fetched or is too large
 */
async function fetchImage(url, closed) {
  const signal = AbortSignal.any([closed, AbortSignal.timeout(FETCH_TIMEOUT)]);
  const response = await fetch(url, { signal, credentials: "omit" });
  if (!response.ok) throw new Error(`its server responded with HTTP ${response.status}`);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let chunk; reader && (chunk = await reader.read()) && chunk.value;) {
    size += chunk.value.length;
    if (size > MAX_IMAGE_BYTES) {
      await reader.cancel();
      const mib = MAX_IMAGE_BYTES / (1024 * 1024);
      throw new Error(`it is larger than ${MAX_IMAGE_BYTES} bytes (${mib} MiB)`);
    }
    chunks.push(chunk.value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/**
 * The worker's entry point: starts the API with the settings in the first message, confirms that
 * with a message, and handles all further messages as requests or as those of the network.
 *
 * @param {Glue} glue
 * @param {(settings: NetworkSettings, send: (command: NetworkCommand) => void) => Network} createNetwork
 */
export function runWorker(glue, createNetwork) {
  /** @param {HostResponse} message */
  const send = (message) => {
    const transfer =
      "response" in message && message.response ? [message.response.body.buffer] : [];
    postMessage(message, { transfer });
  };
  onmessage = ({ data: settings }) => {
    const api = startApi(glue, settings, send, (settings) =>
      createNetwork(settings, (network) => postMessage({ network })),
    );
    onmessage = (/** @type {MessageEvent<HostRequest | NetworkReplyMessage>} */ { data }) => {
      if ("network" in data) api.network?.receive(data.network);
      else api.handle(data);
    };
    postMessage("started");
  };
}
