// Runs programs, starts servers, and serves files.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, extname, join, resolve } from "node:path";
import { after } from "node:test";

import { root } from "./workspace.js";

/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv }} SpawnOptions */

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();

/** @type {import("node:http").Server[]} */
const servers = [];

after(() => {
  for (const child of children) stop(child);
  for (const server of servers) server.close();
});

/**
 * Spawns a program.
 *
 * @param {string} program one of the installed tools, or any other program
 * @param {string[]} args
 * @param {SpawnOptions} [options]
 */
function spawnProgram(program, args, { cwd = root, env = {} } = {}) {
  const child = spawn(program, args, {
    cwd,
    // Build tools fork: a process group of its own lets `stop` kill all of them.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      // Otherwise a Node.js program reports to this test runner.
      NODE_TEST_CONTEXT: undefined,
      NEXT_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
      NO_COLOR: "1",
      ...env,
      PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
    },
  });
  children.add(child);
  child.on("exit", () => children.delete(child));
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
    // It has exited already.
  }
}

/**
 * Runs a program and returns its standard output. Fails unless it exits with 0.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {SpawnOptions} [options]
 */
export async function run(program, args, options) {
  const { child, output } = spawnProgram(program, args, options);
  const [code] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} exited with ${code}:\n${output.all}`);
  }
  return output.out;
}

/**
 * Starts a server, and waits for its output to match `ready`.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {RegExp} ready
 * @param {SpawnOptions} [options]
 * @returns {Promise<{ match: RegExpMatchArray, output: { all: string }, stop: () => void }>}
 */
export function start(program, args, ready, options) {
  const { child, output } = spawnProgram(program, args, options);
  return new Promise((resolve, reject) => {
    const check = () => {
      const match = output.all.match(ready);
      if (match) resolve({ match, output, stop: () => stop(child) });
    };
    child.stdout.on("data", check);
    child.stderr.on("data", check);
    child.on("error", reject);
    child.on("close", (code) =>
      reject(new Error(`${program} exited with ${code} before it was ready:\n${output.all}`)),
    );
  });
}

/**
 * Finds a program in `PATH` or `/usr/sbin`.
 *
 * @param {string} program
 */
export function findProgram(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  for (const path of folders.map((folder) => join(folder, program))) {
    try {
      accessSync(path);
      return path;
    } catch {
      // Tries the next folder.
    }
  }
  throw new Error(
    `Missing program ${program}: install it (packages nginx-light and caddy on Debian and Ubuntu)`,
  );
}

/** Below the range of ephemeral ports, so that the system gives these to no other program. */
let nextPort = 22_000 + Math.floor(Math.random() * 8000);

/** Finds a free port. */
export async function findFreePort() {
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
const mediaTypes = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

const page = '<!doctype html><script type="module" src="/main.js"></script>';

/**
 * Serves the files of folders. Without an `index.html`, serves a page that loads `main.js`.
 *
 * @param {string[]} folders
 * @returns the address of the server
 */
export async function serveFiles(...folders) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = pathname === "/" ? "./index.html" : `.${pathname}`;
    const path = folders
      .map((folder) => resolve(folder, file))
      .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
    if (path) {
      response.setHeader("content-type", mediaTypes[extname(path)] ?? "application/octet-stream");
      createReadStream(path).pipe(response);
    } else if (pathname === "/") {
      response.setHeader("content-type", "text/html").end(page);
    } else {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}
