// Programs that are run to their end, programs that serve, and a server of files.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, extname, join, resolve } from "node:path";
import { after } from "node:test";

import { root } from "./folder.js";

/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv }} Where */

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/** @type {import("node:http").Server[]} */
const serving = [];

after(() => {
  for (const child of running) stop(child);
  for (const server of serving) server.close();
});

/**
 * @param {string} program one of the consumers' tools, or any other
 * @param {string[]} args
 * @param {Where} [where]
 */
function begin(program, args, { cwd = root, env = {} } = {}) {
  const child = spawn(program, args, {
    cwd,
    // Build tools fork: the whole group is ended.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      // A test runner's children would report to it.
      NODE_TEST_CONTEXT: undefined,
      NEXT_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
      NO_COLOR: "1",
      ...env,
      PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
    },
  });
  running.add(child);
  child.on("exit", () => running.delete(child));
  const output = { out: "", all: "" };
  child.stdout.on("data", (data) => {
    output.out += data;
    output.all += data;
  });
  child.stderr.on("data", (data) => (output.all += data));
  return { child, output };
}

/** @param {import("node:child_process").ChildProcess} child */
function stop(child) {
  try {
    if (child.pid) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/**
 * Runs a program to its end, and answers what it printed.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {Where} [where]
 */
export async function run(program, args, where) {
  const { child, output } = begin(program, args, where);
  const [code] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output.all}`);
  }
  return output.out;
}

/**
 * Starts a program that serves, and answers once it has printed what is looked for.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {RegExp} ready
 * @param {Where} [where]
 * @returns {Promise<{ match: RegExpMatchArray, output: { all: string }, stop: () => void }>}
 */
export function start(program, args, ready, where) {
  const { child, output } = begin(program, args, where);
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = output.all.match(ready);
      if (match) resolve({ match, output, stop: () => stop(child) });
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("error", reject);
    child.on("close", (code) =>
      reject(new Error(`${program} ended with ${code} before it was ready:\n${output.all}`)),
    );
  });
}

/** Below the ports that the system hands out: nobody gets one of these by chance. */
let nextPort = 22_000 + Math.floor(Math.random() * 8000);

/** A port that is free now. */
export async function freePort() {
  for (;;) {
    const port = nextPort++;
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "EADDRINUSE") continue;
      throw error;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

const page = '<!doctype html><script type="module" src="/main.js"></script>';

/**
 * Serves the files of folders, as any static host does. Where there is no `index.html` there is a
 * bundle: it gets a page that loads its `main.js`.
 *
 * @param {string[]} folders
 */
export async function serve(...folders) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = pathname === "/" ? "./index.html" : `.${pathname}`;
    const path = folders
      .map((folder) => resolve(folder, file))
      .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
    if (path) {
      response.setHeader("content-type", types[extname(path)] ?? "application/octet-stream");
      createReadStream(path).pipe(response);
    } else if (pathname === "/") {
      response.setHeader("content-type", "text/html").end(page);
    } else {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  serving.push(server);
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}
