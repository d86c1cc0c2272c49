// Starts the API of a sandbox in a worker of its own or, where no worker can be started, on the
// caller's thread.

import { ImageTo3dError, loadError } from "../wasm/shared.js";
import { startApi } from "./worker.js";

/** @import { NetworkCommand, NetworkReply } from "./network.js" */
/** @import { NetworkMessage } from "./network-worker.js" */
/** @import { ApiResponse, HostRequest, HostResponse, NetworkCommandMessage, WorkerSettings } from "./worker.js" */
/** @typedef {Omit<HostRequest, "id">} ApiRequest */
/** @typedef {{ speed: number, seed: number, cutoutFiles?: string }} HostOptions */

/**
 * @typedef {object} Host
 * @property {(request: ApiRequest) => Promise<ApiResponse>} send rejects with a `TypeError` if the
 *   request is not valid HTTP, and with an `ImageTo3dError` once the API has crashed
 * @property {() => void} close ends all work; pending requests are never settled
 */

/**
 * Compiles the WebAssembly, which each entry of the package loads in another way.
 *
 * @typedef {() => Promise<WebAssembly.Module>} CompileModule
 */

/**
 * The compiled WebAssembly and the sources of the workers, shared by all sandboxes.
 *
 * @typedef {{ module: WebAssembly.Module, workerSource: string, networkWorkerSource: string }} Loaded
 */

/** @type {Promise<Loaded> | undefined} */
let loading;

/** The entry of the package, for error messages. */
const ENTRY = "csm-image-to-3d/sandbox";

/** Workers are not tried again after a failure: browsers log each failure to the console. */
let canStartWorkers = true;

/**
 * Starts the API without any sessions.
 *
 * @param {CompileModule} compile
 * @param {HostOptions} options
 * @returns {Promise<Host>}
 * @throws {ImageTo3dError} with kind `"internal"`, if the WebAssembly cannot be loaded
 */
export async function startHost(compile, options) {
  const loaded = await loadApi(compile);
  return (await startInWorker(loaded, options)) ?? (await startOnThisThread(loaded, options));
}

/**
 * Loads the WebAssembly and the sources of the workers, unless they are loaded already.
 *
 * @param {CompileModule} compile
 */
export const loadApi = (compile) => (loading ??= load(compile));

/** @param {CompileModule} compile */
async function load(compile) {
  try {
    const [module, sources] = await Promise.all([compile(), import("../wasm/sandbox_workers.js")]);
    return { module, ...sources };
  } catch (cause) {
    // The next call tries again, because a network failure may be temporary.
    loading = undefined;
    throw loadError(ENTRY, cause);
  }
}

/**
 * Returns `undefined` if no worker can be started: under a content security policy whose
 * `worker-src` does not allow `blob:`, and in Node.js.
 *
 * @param {Loaded} loaded
 * @param {HostOptions} options
 * @returns {Promise<Host | undefined>}
 */
async function startInWorker({ module, workerSource, networkWorkerSource }, options) {
  if (!canStartWorkers || typeof Worker === "undefined" || !URL.createObjectURL) return undefined;
  const network = await findNetwork(options.cutoutFiles);
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  /** @type {Worker | undefined} */
  let worker;
  try {
    const started = (worker = new Worker(url, { type: "module", name: "csm-image-to-3d" }));
    const networkWorker = createNetworkWorker(networkWorkerSource, (network) =>
      started.postMessage({ network }),
    );
    const { host, receive } = createHost(
      (request) => started.postMessage(request),
      () => {
        networkWorker.stop();
        started.terminate();
      },
    );
    await new Promise((resolve, reject) => {
      started.onmessage = resolve;
      started.onerror = (event) => {
        // The failure is handled here, so that the browser need not log it.
        event.preventDefault();
        reject(event);
      };
      started.postMessage(createSettings(module, options, network));
    });
    started.onmessage = (
      /** @type {MessageEvent<HostResponse | NetworkCommandMessage>} */ event,
    ) => {
      if ("network" in event.data) networkWorker.handle(event.data.network);
      else receive(event.data);
    };
    started.onerror = (event) => receive({ crash: event.message });
    return host;
  } catch {
    canStartWorkers = false;
    worker?.terminate();
    return undefined;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {Loaded} loaded
 * @param {HostOptions} options
 * @returns {Promise<Host>}
 */
async function startOnThisThread({ module }, options) {
  try {
    const failure = "the sandbox has no worker, in which it would run";
    const settings = createSettings(module, options, { failure });
    const glue = await import("../wasm/sandbox.js");
    const api = startApi(glue, settings, (message) => receive(message));
    const { host, receive } = createHost(api.handle, api.close);
    return host;
  } catch (cause) {
    throw loadError(ENTRY, cause);
  }
}

/**
 * @param {WebAssembly.Module} module
 * @param {HostOptions} options
 * @param {WorkerSettings["network"]} network
 * @returns {WorkerSettings}
 */
const createSettings = (module, { speed, seed }, network) => ({ module, speed, seed, network });

/**
 * Returns where the files of the cut-out network are, or the reason why that is not known.
 *
 * @param {string} [folder] the URL of their folder, if the app has copied them
 * @returns {Promise<WorkerSettings["network"]>}
 */
async function findNetwork(folder) {
  try {
    const { files } = await import("../wasm/cutout_files.js");
    const located = files.map(({ url, ...file }) => {
      // The URL of Turbopack has no origin, and relative URLs mean nothing in a worker from a blob.
      const source = folder ? new URL(file.name, folder) : new URL(String(url()), location.href);
      return { ...file, url: source.href };
    });
    return { files: located };
  } catch (cause) {
    const { message } = /** @type {Error} */ (cause);
    return { failure: `its files are not found (see the option cutoutFiles): ${message}` };
  }
}

/**
 * Executes the commands of an API's worker to the worker of its cut-out network. The page's thread starts
 * it: in Firefox with a debugger, a worker that starts another one may miss the notification that it waits
 * for, and block forever.
 *
 * @param {string} source
 * @param {(reply: NetworkReply) => void} reply
 */
function createNetworkWorker(source, reply) {
  /** @type {Worker | undefined} */
  let worker;

  /** @param {number} run */
  function start(run) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const send = (/** @type {NetworkMessage} */ message) => {
      URL.revokeObjectURL(url);
      reply({ run, message });
    };
    try {
      worker = new Worker(url, { type: "module", name: "csm-image-to-3d cut-out" });
      worker.onmessage = ({ data }) => send(data);
      worker.onerror = (event) => {
        event.preventDefault();
        send({ failure: event.message || "its worker cannot be started" });
      };
    } catch (cause) {
      send({ failure: /** @type {Error} */ (cause).message });
    }
  }

  function stop() {
    worker?.terminate();
    worker = undefined;
  }

  return {
    /** @param {NetworkCommand} command */
    handle(command) {
      if (command.action === "post") worker?.postMessage(command.message);
      else if (command.action === "start") start(command.run);
      else stop();
    },
    stop,
  };
}

/**
 * Creates a host, and the function that receives the messages from its API.
 *
 * @param {(request: HostRequest) => void} post
 * @param {() => void} close
 */
function createHost(post, close) {
  /** @type {Map<number, { resolve(response: ApiResponse): void, reject(error: Error): void }>} */
  const pending = new Map();
  /** @type {ImageTo3dError | undefined} */
  let crashed;
  let nextId = 0;

  /** @param {HostResponse} message */
  function receive(message) {
    if ("crash" in message) {
      crashed = new ImageTo3dError(
        `The sandbox crashed and lost all its sessions: ${message.crash}`,
        { kind: "internal", sent: "unknown" },
      );
      for (const { reject } of pending.values()) reject(crashed);
      pending.clear();
      close();
      return;
    }
    const { resolve, reject } = pending.get(message.id) ?? {};
    pending.delete(message.id);
    if (message.response) resolve?.(message.response);
    else reject?.(new TypeError("Failed to fetch: the request is not valid HTTP"));
  }

  /** @type {Host} */
  const host = {
    send: (request) =>
      new Promise((resolve, reject) => {
        if (crashed) return reject(crashed);
        const id = nextId++;
        pending.set(id, { resolve, reject });
        post({ id, ...request });
      }),
    close,
  };
  return { host, receive };
}
