// Starts what `npx csm-image-to-3d` runs.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
after(() => running.forEach((child) => child.kill("SIGKILL")));

/** @param {string[]} flags */
function begin(flags) {
  const child = spawn(process.execPath, ["pkg/bin.js", ...flags]);
  running.add(child);
  child.once("exit", () => running.delete(child));
  const printed = { out: "", err: "" };
  child.stdout.on("data", (data) => (printed.out += data));
  child.stderr.on("data", (data) => (printed.err += data));
  const ended = once(child, "close").then(([code]) => ({ code, ...printed }));
  return { child, printed, ended };
}

/**
 * Runs it to its end: what it printed, and its exit code.
 *
 * @param {string[]} flags
 */
export const runNpx = (...flags) => begin(flags).ended;

/**
 * Starts it on a free port, and answers once it listens.
 *
 * @param {string[]} flags
 */
export async function startNpx(...flags) {
  const { child, printed, ended } = begin(["--port", "0", ...flags]);
  /** @type {RegExpExecArray | null} */
  let match;
  while (!(match = /listening on (\S+)[^]*Ctrl\+C/.exec(printed.out))) {
    const end = await Promise.race([ended, once(child.stdout, "data")]);
    if (!Array.isArray(end)) throw new Error(`it ended with ${end.code}: ${end.err}`);
  }
  return { address: match[1], printed, ended, kill: child.kill.bind(child) };
}
