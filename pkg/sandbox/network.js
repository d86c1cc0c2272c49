// Runs the cut-out network in a worker of the sandbox's worker: only while an image waits for it, because
// its memory, about 150 MB, returns only with the end of the worker. This file must not import anything:
// it is part of the source of the sandbox's worker.

/** @import { NetworkFile, NetworkMessage } from "./network-worker.js" */

/**
 * @typedef {object} NetworkSettings
 * @property {string} workerSource
 * @property {NetworkFile[]} files
 */

/**
 * @typedef {object} Network
 * @property {(pixels: Uint8Array, onProgress: (loaded: number) => void) => Promise<Float32Array>} segment
 *   returns the logit of each pixel. `onProgress` receives the part of the network that is loaded, from
 *   0 to 1. Rejects with the reason if the network cannot be loaded or run; the next call tries again.
 * @property {() => boolean} isBusy
 * @property {() => void} close ends the worker; pending calls are never settled
 */

/** How long the worker may be silent, in milliseconds: much longer than a slow device needs. */
const SILENCE_TIMEOUT = 120_000;

/**
 * Creates the network, whose worker starts with the first image.
 *
 * @param {NetworkSettings} settings
 * @returns {Network}
 */
export function createNetwork({ workerSource, files }) {
  /**
   * @typedef {object} Call
   * @property {(logits: Float32Array) => void} resolve
   * @property {(reason: Error) => void} reject
   * @property {(loaded: number) => void} onProgress
   */
  /** @type {Map<number, Call>} */
  const pending = new Map();
  /** @type {Worker | undefined} */
  let worker;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let nextId = 0;
  let loaded = 0;

  function startWorker() {
    loaded = 0;
    const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
    const started = new Worker(url, { type: "module", name: "csm-image-to-3d cut-out" });
    started.onmessage = (/** @type {MessageEvent<NetworkMessage>} */ { data }) => {
      URL.revokeObjectURL(url);
      receive(data);
    };
    started.onerror = (event) => {
      event.preventDefault();
      URL.revokeObjectURL(url);
      receive({ failure: event.message || "its worker cannot be started" });
    };
    started.postMessage(files);
    return started;
  }

  /** @param {NetworkMessage} message */
  function receive(message) {
    restartTimer();
    if ("loaded" in message) {
      loaded = message.loaded;
      for (const { onProgress } of pending.values()) onProgress(loaded);
    } else if ("failure" in message) {
      const calls = [...pending.values()];
      close();
      for (const { reject } of calls) reject(new Error(message.failure));
    } else {
      pending.get(message.id)?.resolve(message.logits);
      pending.delete(message.id);
      if (pending.size === 0) close();
    }
  }

  function restartTimer() {
    clearTimeout(timer);
    const failure = `its worker has been silent for ${SILENCE_TIMEOUT / 1000} s`;
    timer = setTimeout(() => receive({ failure }), SILENCE_TIMEOUT);
  }

  function close() {
    clearTimeout(timer);
    worker?.terminate();
    worker = undefined;
    pending.clear();
  }

  return {
    segment: (pixels, onProgress) =>
      new Promise((resolve, reject) => {
        worker ??= startWorker();
        restartTimer();
        const id = nextId++;
        pending.set(id, { resolve, reject, onProgress });
        onProgress(loaded);
        worker.postMessage({ id, pixels });
      }),
    isBusy: () => pending.size > 0,
    close,
  };
}
