// The server of the measured pages: hands tasks to a page. A process of its own receives the uploads
// (`../receiver/`), because Node.js delays them: see `../LIMITS.md`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { createInterface } from "node:readline";

import { countersSince, tcpCounters } from "./tcp.js";

/** @import { TcpCounters } from "./tcp.js" */

/** The time limit of a task in milliseconds; no task takes that long. */
const TASK_TIMEOUT = 300_000;

/** URL prefixes, and the folders or files that are served there. */
const fixedRoutes = /** @type {const} */ ([
  ["/pkg/", "dist/pkg/"],
  ["/baseline-rust/", "target/bench-baseline-rust/pkg/"],
  ["/images/", "target/bench/images/"],
  ["/axios.js", "bench/node_modules/axios/dist/esm/axios.min.js"],
  ["/", "bench/page/"],
]);

/** @type {Record<string, string>} */
const mediaTypes = {
  ".js": "text/javascript",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/**
 * A request with an image.
 *
 * @typedef {object} Upload
 * @property {number} arrived when its headers arrived, in milliseconds since 1970
 * @property {number} bytes of its body
 * @property {Buffer} [body] only if it was to be kept
 * @property {TcpCounters} [tcp] the events during the upload
 */

/** @typedef {Awaited<ReturnType<typeof startHarness>>} Harness */

/**
 * Starts the server for one page at a time.
 *
 * @param {string} [baseline] the folder of another build of the package
 */
export async function startHarness(baseline) {
  const routes = [
    ...(baseline === undefined
      ? []
      : [
          ["/old/", `${baseline}/`],
          ["/old-again/", `${baseline}/`],
        ]),
    ...fixedRoutes,
  ];
  /** Delivers a task to the page, which waits for one. @type {((task: string) => void) | undefined} */
  let deliver;
  /** @type {string[]} */
  const tasks = [];
  /** @type {((result: any) => void) | undefined} */
  let finish;

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async function handle(request, response) {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    response.setHeader("cache-control", "no-store");
    // Only cross-origin isolated pages have a clock finer than a millisecond.
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    if (path === "/task") {
      const task = tasks.shift() ?? (await new Promise((resolve) => (deliver = resolve)));
      response.end(task);
    } else if (path === "/result") {
      const chunks = await request.toArray();
      response.end();
      finish?.(JSON.parse(Buffer.concat(chunks).toString()));
    } else {
      const [prefix, target] =
        routes.find(([prefix]) => path.startsWith(prefix)) ?? routes[routes.length - 1];
      const file = path === "/" ? "bench/page/index.html" : target + path.slice(prefix.length);
      response.setHeader("content-type", mediaTypes[extname(path)] ?? "text/html");
      response.end(await readFile(file));
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      response.statusCode = 404;
      response.end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // The receiver keeps its connections.
  server.keepAliveTimeout = 0;
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const receiver = spawn("target/server/bench-receiver", [String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(receiver.stdout), "line");
  const origin = String(line).replace("listening on ", "");
  return {
    origin,

    /**
     * Runs one of the tasks of `page/tasks.js` in the page, and returns its result.
     *
     * @param {string} name
     * @param {object} argument
     * @returns {Promise<any>}
     */
    async runTask(name, argument) {
      const finished = new Promise((resolve) => (finish = resolve));
      const task = JSON.stringify({ name, argument });
      if (deliver) deliver(task);
      else tasks.push(task);
      deliver = undefined;
      const timeout = once(AbortSignal.timeout(TASK_TIMEOUT), "abort");
      const timedOut = timeout.then(() => ({
        error: `timed out after ${TASK_TIMEOUT} ms`,
        result: undefined,
      }));
      const { result, error } = await Promise.race([finished, timedOut]);
      if (error !== undefined) throw new Error(`Task ${task}: ${error}`);
      return result;
    },

    /**
     * Runs a step that uploads exactly one image, and returns the upload too.
     *
     * @template T
     * @param {"keep" | "discard"} body
     * @param {() => Promise<T>} step
     * @returns {Promise<{ result: T, upload: Upload }>}
     */
    async captureUpload(body, step) {
      await fetch(`${origin}/uploads/${body}`, { method: "POST" });
      const before = tcpCounters();
      const result = await step();
      const tcp = countersSince(before);
      /** @type {Upload[]} */
      const uploads = await (await fetch(`${origin}/uploads`)).json();
      if (uploads.length !== 1) throw new Error(`Received ${uploads.length} uploads: expected 1`);
      const upload = { ...uploads[0], tcp };
      if (body === "discard") return { result, upload };
      const kept = await (await fetch(`${origin}/uploads/body`)).arrayBuffer();
      return { result, upload: { ...upload, body: Buffer.from(kept) } };
    },

    close() {
      receiver.kill();
      server.close();
      server.closeAllConnections();
    },
  };
}
