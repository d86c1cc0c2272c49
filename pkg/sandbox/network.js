// Runs the cut-out network for the sandbox's worker, in a worker of its own: only while an image waits for
// it, because its memory, about 150 MB, returns only with the end of the worker. This file must not import
// anything: it is part of the source of the sandbox's worker.

/** @import { NetworkFile, NetworkMessage, NetworkRequest } from "./network-worker.js" */

/**
 * @typedef {object} NetworkSettings
 * @property {NetworkFile[]} files
 */

/**
 * A command to the page's thread, which starts the network's worker, sends messages to it, and ends it.
 * `run` numbers the workers.
 *
 * @typedef {{ run: number } & ({ action: "start" | "stop" }
 *   | { action: "post", message: NetworkFile[] | NetworkRequest })} NetworkCommand
 */

/**
 * A message of a network's worker, which the page's thread passes on.
 *
 * @typedef {{ run: number, message: NetworkMessage }} NetworkReply
 */

/**
 * @typedef {object} Network
 * @property {(pixels: Uint8Array, onProgress: (loaded: number) => void) => Promise<Float32Array>} segment
 *   returns the logit of each pixel. `onProgress` receives the part of the network that is loaded, from
 *   0 to 1. Rejects with the reason if the network cannot be loaded or run; the next call tries again.
 * @property {(reply: NetworkReply) => void} receive
 * @property {() => boolean} isBusy
 * @property {() => void} close ends the worker; pending calls are never settled
 */

/** How long the worker may be silent, in milliseconds: much longer than a slow device needs. */
const SILENCE_TIMEOUT = 120_000;

/**
 * Creates the network, whose worker starts with the first image.
 *
 * @param {NetworkSettings} settings
 * @param {(command: NetworkCommand) => void} send
 * @returns {Network}
 */
export function createNetwork({ files }, send) {
  /**
   * @typedef {object} Call
   * @property {(logits: Float32Array) => void} resolve
   * @property {(reason: Error) => void} reject
   * @property {(loaded: number) => void} onProgress
   */
  /** @type {Map<number, Call>} */
  const pending = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let run = 0;
  let isRunning = false;
  let nextId = 0;
  let loaded = 0;

  /** @param {NetworkFile[] | NetworkRequest} message */
  const post = (message) => send({ run, action: "post", message });

  function startWorker() {
    loaded = 0;
    isRunning = true;
    run++;
    send({ run, action: "start" });
    post(files);
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
    if (isRunning) send({ run, action: "stop" });
    isRunning = false;
    pending.clear();
  }

  return {
    segment: (pixels, onProgress) =>
      new Promise((resolve, reject) => {
        if (!isRunning) startWorker();
        restartTimer();
        const id = nextId++;
        pending.set(id, { resolve, reject, onProgress });
        onProgress(loaded);
        post({ id, pixels });
      }),
    receive(reply) {
      // A worker that was ended may have sent a last message.
      if (isRunning && reply.run === run) receive(reply.message);
    },
    isBusy: () => pending.size > 0,
    close,
  };
}
