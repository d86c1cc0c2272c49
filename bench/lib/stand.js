// The server that the measured pages come from, and that their pictures go to: it hands the pages
// their tasks, and counts what it receives.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

import { now } from "./clock.js";

/** In milliseconds: more than any task takes. */
const PATIENCE = 300_000;

/** Paths, and the folders or files that lie there. */
const places = /** @type {const} */ ([
  ["/pkg/", "dist/pkg/"],
  ["/opponent/", "target/bench-opponent/pkg/"],
  ["/pictures/", "target/bench/pictures/"],
  ["/axios.js", "bench/node_modules/axios/dist/esm/axios.min.js"],
  ["/", "bench/page/"],
]);

/** @type {Record<string, string>} */
const types = {
  ".js": "text/javascript",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/**
 * A request with a picture, as it was received.
 *
 * @typedef {object} Received
 * @property {number} arrived when its head was there, in milliseconds since 1970
 * @property {number} bytes of its body
 * @property {Buffer} [body] where it was to be kept
 */

/** @typedef {Awaited<ReturnType<typeof openStand>>} Stand */

/** Starts the server, for one page at a time. */
export async function openStand() {
  /** @type {((task: string) => void) | undefined} */
  let hand;
  /** @type {string[]} */
  const tasks = [];
  /** @type {((answer: any) => void) | undefined} */
  let answered;
  /** @type {Received[]} */
  const received = [];
  let keeping = false;

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async function answer(request, response) {
    const path = new URL(request.url ?? "/", "http://stand").pathname;
    response.setHeader("cache-control", "no-store");
    // Only a page that is by itself gets a clock that tells parts of a millisecond.
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    if (path === "/task") {
      const next = tasks.shift() ?? (await new Promise((resolve) => (hand = resolve)));
      response.end(next);
    } else if (path === "/answer") {
      const chunks = await request.toArray();
      response.end();
      answered?.(JSON.parse(Buffer.concat(chunks).toString()));
    } else if (path === "/image-to-3d-sessions") {
      received.push(await take(request, keeping));
      response.setHeader("content-type", "application/json");
      response.statusCode = 201;
      response.end(JSON.stringify({ data: { session_code: "SESSION_1", status: "queued" } }));
    } else {
      const [at, folder] = places.find(([at]) => path.startsWith(at)) ?? places[places.length - 1];
      const file = path === "/" ? "bench/page/index.html" : folder + path.slice(at.length);
      response.setHeader("content-type", types[extname(path)] ?? "text/html");
      response.end(await readFile(file));
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.statusCode = 404;
      response.end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${port}`,

    /**
     * Has the page do one of its tasks (see `page/tasks.js`), and answers what it says.
     *
     * @param {string} name
     * @param {object} argument
     * @returns {Promise<any>}
     */
    async ask(name, argument) {
      const said = new Promise((resolve) => (answered = resolve));
      const task = JSON.stringify({ name, argument });
      if (hand) hand(task);
      else tasks.push(task);
      hand = undefined;
      const patience = AbortSignal.timeout(PATIENCE);
      const never = once(patience, "abort").then(() => ({ error: "no answer", result: undefined }));
      const { result, error } = await Promise.race([said, never]);
      if (error !== undefined) throw new Error(`${name} ${JSON.stringify(argument)}: ${error}`);
      return result;
    },

    /**
     * What came while the step was done: exactly one picture.
     *
     * @template T
     * @param {boolean} keep whether its body is wanted
     * @param {() => Promise<T>} step
     * @returns {Promise<{ result: T, picture: Received }>}
     */
    async during(keep, step) {
      keeping = keep;
      received.length = 0;
      const result = await step();
      if (received.length !== 1) throw new Error(`${received.length} requests instead of one`);
      return { result, picture: received[0] };
    },

    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {boolean} keep
 * @returns {Promise<Received>}
 */
async function take(request, keep) {
  const arrived = now();
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (keep) chunks.push(chunk);
  }
  return { arrived, bytes, body: keep ? Buffer.concat(chunks) : undefined };
}
