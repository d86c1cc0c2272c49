// Where a sandbox works: in a worker of its own, or where there can be none on this thread.

import { bytesOf } from "../bytes.js";
import { ImageTo3dError } from "../error.js";
import { openSandbox } from "./handler.js";

/** @import { Answer, Question, Reply, Settings } from "./handler.js" */
/** @typedef {Omit<Question, "id">} Asked */

/**
 * @typedef {object} Room
 * @property {(asked: Asked) => Promise<Answer>} ask rejects with a `TypeError` where it is no
 *   request that HTTP could carry, and with an `ImageTo3dError` where the sandbox is broken: it
 *   stays so
 * @property {() => void} close ends all that is under way; what was asked is never answered then
 */

/**
 * One for all sandboxes: the compiled WebAssembly, and the text that a worker is made of.
 *
 * @type {Promise<{ module: WebAssembly.Module, workerSource: string }> | undefined}
 */
let loading;

/** Not tried again once it failed: browsers write each such failure to the console. */
let workersStart = true;

/**
 * Opens a sandbox, with no sessions.
 *
 * @param {{ speed: number, seed: number }} settings
 * @returns {Promise<Room>}
 */
export async function openRoom(settings) {
  const { module, workerSource } = await (loading ??= load());
  const all = { ...settings, module };
  return (await inWorker(workerSource, all)) ?? (await onThisThread(all));
}

async function load() {
  try {
    const { base64, workerSource } = await import("../wasm/sandbox_inlined.js");
    return { module: await WebAssembly.compile(bytesOf(base64)), workerSource };
  } catch (cause) {
    // The next call tries again: the network may have been gone for a moment only.
    loading = undefined;
    throw new ImageTo3dError(
      "the WebAssembly of the sandbox could not be loaded (under a content security policy " +
        `script-src needs 'wasm-unsafe-eval'): ${/** @type {any} */ (cause)?.message}`,
      { kind: "internal", sent: "no" },
    );
  }
}

/**
 * `undefined` where a worker cannot be started, as under a content security policy whose
 * `worker-src` is without `blob:`, and in Node.js.
 *
 * @param {string} source
 * @param {Settings} settings
 * @returns {Promise<Room | undefined>}
 */
async function inWorker(source, settings) {
  if (!workersStart || typeof Worker === "undefined" || !URL.createObjectURL) return undefined;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  /** @type {Worker | undefined} */
  let worker;
  try {
    const started = (worker = new Worker(url, { type: "module", name: "csm-image-to-3d" }));
    const { room, take } = newRoom(
      (question) => started.postMessage(question),
      () => started.terminate(),
    );
    await new Promise((opened, failed) => {
      started.onmessage = opened;
      started.onerror = (event) => {
        // It is dealt with: nothing is to be printed.
        event.preventDefault();
        failed(event);
      };
      started.postMessage(settings);
    });
    started.onmessage = ({ data }) => take(data);
    started.onerror = (event) => take({ broken: event.message });
    return room;
  } catch {
    workersStart = false;
    worker?.terminate();
    return undefined;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {Settings} settings
 * @returns {Promise<Room>}
 */
async function onThisThread(settings) {
  const glue = await import("../wasm/sandbox.js");
  const sandbox = openSandbox(glue, settings, (reply) => take(reply));
  const { room, take } = newRoom(sandbox.take, sandbox.close);
  return room;
}

/**
 * A room, and what takes the replies that come from it.
 *
 * @param {(question: Question) => void} send
 * @param {() => void} close
 */
function newRoom(send, close) {
  /** @type {Map<number, { resolve(answer: Answer): void, reject(why: Error): void }>} */
  const waiting = new Map();
  /** @type {ImageTo3dError | undefined} */
  let broken;
  let asked = 0;

  /** @param {Reply} reply */
  function take(reply) {
    if ("broken" in reply) {
      broken = new ImageTo3dError(
        `the sandbox broke, and all its sessions are gone: ${reply.broken}`,
        { kind: "internal", sent: "unknown" },
      );
      for (const { reject } of waiting.values()) reject(broken);
      waiting.clear();
      close();
      return;
    }
    const { resolve, reject } = waiting.get(reply.id) ?? {};
    waiting.delete(reply.id);
    if (reply.answer) resolve?.(reply.answer);
    else reject?.(new TypeError("Failed to fetch: this is no request that HTTP could carry"));
  }

  /** @type {Room} */
  const room = {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        const id = asked++;
        waiting.set(id, { resolve, reject });
        send({ id, ...question });
      }),
    close,
  };
  return { room, take };
}
