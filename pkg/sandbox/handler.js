// Answers requests with the WebAssembly, and does the work that comes due: in a worker, or where
// there can be none on the page's own thread. It imports nothing, since the worker is made of a
// text: that of the WebAssembly's glue and of this file, one after the other.

/** @typedef {Pick<typeof import("../wasm/sandbox.js"), "Api" | "initSync" | "startAfresh">} Glue */

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

/** A picture from elsewhere: as large as it may be, and how long it may take, in milliseconds. */
const MOST_BYTES = 32 * 1024 * 1024;
const FETCH_TIMEOUT = 30_000;

/** In milliseconds; a longer one ends at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

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
  const api = call(() => new glue.Api(speed, seed, Date.now()));
  const end = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

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
  async function answer({ id, method, path, headers, body }) {
    const bytes = body ? new Uint8Array(await body.arrayBuffer()) : new Uint8Array();
    await work();
    if (end.signal.aborted) return;
    const answer = call(() => api.handle(method, path, headers, bytes, Date.now()));
    reply({ id, answer: answer && read(answer) });
    await breath();
    await work();
  }

  /** Works what is due, one job after the other, and plans to go on when the next one will be. */
  async function work() {
    while (!end.signal.aborted) {
      const job = call(() => api.nextJob(Date.now()));
      if (!job) break;
      if (job.remote) guarded(workRemote(job, job.remote));
      else call(() => api.work(job));
      await breath();
    }
    plan();
  }

  /**
   * @param {import("../wasm/sandbox.js").Job} job
   * @param {string} url
   */
  async function workRemote(job, url) {
    /** @type {Uint8Array | undefined} */
    let bytes;
    /** @type {string | undefined} */
    let failure;
    try {
      bytes = await fetched(url, end.signal);
    } catch (cause) {
      failure = String(/** @type {any} */ (cause)?.message ?? cause);
      // All that `fetch` says of what it may not know.
      if (cause instanceof TypeError) {
        failure += "; its server is off, or does not allow pages of other origins";
      }
    }
    if (end.signal.aborted) return;
    call(() => api.work(job, bytes, failure));
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (end.signal.aborted) return;
    const now = Date.now();
    const due = call(() => api.nextDue(now));
    if (due === undefined) return;
    timer = setTimeout(() => guarded(work()), Math.min(due - now, LONGEST_TIMER));
    // Node.js ends all the same.
    /** @type {{ unref?(): void }} */ (timer).unref?.();
  }

  /**
   * Nothing is answered any more after a step that failed.
   *
   * @param {Promise<void>} steps
   */
  async function guarded(steps) {
    try {
      await steps;
    } catch (cause) {
      close();
      reply({ broken: /** @type {Error} */ (cause).message });
    }
  }

  function close() {
    end.abort();
    clearTimeout(timer);
    if (own === instance) api.free();
  }

  return { take: (question) => guarded(answer(question)), close };
}

/** @param {import("../wasm/sandbox.js").Answer} answer */
function read(answer) {
  const { status, headers, delivery } = answer;
  const body = /** @type {Uint8Array<ArrayBuffer>} */ (answer.body());
  return { status, headers, delivery, body };
}

/** Lets messages in. Not by a timer: those may be a test's to move. */
function breath() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(undefined);
  });
}

/**
 * The picture at an address.
 *
 * @param {string} url
 * @param {AbortSignal} end
 */
async function fetched(url, end) {
  const signal = AbortSignal.any([end, AbortSignal.timeout(FETCH_TIMEOUT)]);
  const response = await fetch(url, { signal, credentials: "omit" });
  if (!response.ok) throw new Error(`its address answers ${response.status}`);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let piece; reader && (piece = await reader.read()) && piece.value;) {
    size += piece.value.length;
    if (size > MOST_BYTES) {
      await reader.cancel();
      throw new Error(`it is larger than ${MOST_BYTES} bytes`);
    }
    pieces.push(piece.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
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
