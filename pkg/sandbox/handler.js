// Answers requests with the WebAssembly, and does the work that comes due: in a worker, or where
// there can be none on the page's own thread. It imports nothing, since the worker is made of a
// text: that of the WebAssembly's glue and of this file, one after the other.

/** @typedef {Pick<typeof import("../wasm/sandbox.js"), "Api" | "initSync" | "startAfresh">} Glue */
/** @typedef {import("../wasm/sandbox.js").Api} WasmApi */

/**
 * @typedef {object} Settings
 * @property {WebAssembly.Module} module
 * @property {number} speed
 * @property {number} seed
 */

/**
 * A request, with a number to tell its answer by.
 *
 * @typedef {object} Question
 * @property {number} id
 * @property {string} method
 * @property {string} path with its query
 * @property {string[]} headers names and values by turns
 * @property {Blob} [body]
 */

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string[]} headers names and values by turns
 * @property {Uint8Array<ArrayBuffer>} body
 * @property {string} [delivery] how it is to be delivered, where not simply
 */

/**
 * `answer` is missing where the question is no request that HTTP could carry. With `broken`, and
 * why, nothing is answered any more.
 *
 * @typedef {{ id: number, answer?: Answer } | { broken: string }} Reply
 */

/** What runs on this thread shares one instance of the WebAssembly; they are counted here. */
let instance = 0;

/**
 * Opens a sandbox, with no sessions.
 *
 * @param {Glue} glue
 * @param {Settings} settings
 * @param {(reply: Reply) => void} reply
 * @returns {{ take(question: Question): Promise<void>, close(): void }}
 */
export function openSandbox(glue, { module, speed, seed }, reply) {
  glue.initSync({ module });
  const own = instance;
  let open = true;
  const api = call(() => new glue.Api(speed, seed, Date.now()));

  /**
   * A step of the WebAssembly. One that throws ends the instance for all that runs in it.
   *
   * @template T
   * @param {() => T} step
   * @returns {T}
   */
  function call(step) {
    if (own !== instance) {
      throw new Error("it broke in another sandbox, which shares its memory");
    }
    try {
      return step();
    } catch (cause) {
      instance++;
      throw new Error(glue.startAfresh() ?? /** @type {Error} */ (cause).message);
    }
  }

  /** @param {Question} question */
  async function take({ id, method, path, headers, body }) {
    const bytes = new Uint8Array(body ? await body.arrayBuffer() : 0);
    if (!open) return;
    const answer = call(() => api.handle(method, path, headers, bytes, Date.now()));
    reply({ id, answer: answer && read(answer) });
  }

  /** @param {import("../wasm/sandbox.js").Answer} answer */
  function read(answer) {
    const { status, headers, delivery } = answer;
    const body = /** @type {Uint8Array<ArrayBuffer>} */ (answer.body());
    return { status, headers, delivery, body };
  }

  function close() {
    open = false;
    if (own === instance) api.free();
  }

  return {
    async take(question) {
      try {
        await take(question);
      } catch (cause) {
        open = false;
        reply({ broken: /** @type {Error} */ (cause).message });
      }
    },
    close,
  };
}

/**
 * In a worker: opens a sandbox with the first message, and takes the others as questions.
 *
 * @param {Glue} glue
 */
export function listen(glue) {
  /** @param {Reply} message */
  const reply = (message) => {
    const body = "answer" in message && message.answer ? [message.answer.body.buffer] : [];
    postMessage(message, { transfer: body });
  };
  onmessage = ({ data: settings }) => {
    const sandbox = openSandbox(glue, settings, reply);
    onmessage = ({ data: question }) => sandbox.take(question);
    postMessage("open");
  };
}
