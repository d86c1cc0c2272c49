// Programs that run beside a test, and none longer than it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";

/** @import { ChildProcess } from "node:child_process" */

/** @type {Set<ChildProcess>} */
const running = new Set();
after(() => running.forEach((child) => child.kill("SIGKILL")));

/**
 * Begins a program: what it has printed, and what it prints and its exit code once it has ended.
 *
 * @param {string} program
 * @param {string[]} flags
 * @param {Record<string, string>} [environment] beside that of the test
 */
export function begin(program, flags, environment) {
  const child = spawn(program, flags, { env: { ...process.env, ...environment } });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const printed = { out: "", err: "" };
  child.stdout.on("data", (data) => (printed.out += data));
  child.stderr.on("data", (data) => (printed.err += data));
  const ended = once(child, "close").then(([code]) => ({ code, ...printed }));
  return { child, printed, ended };
}

/**
 * Waits until a program has printed something.
 *
 * @param {ReturnType<typeof begin>} program
 * @param {RegExp} pattern
 */
export async function says({ child, printed, ended }, pattern) {
  let match;
  while (!(match = pattern.exec(printed.out))) {
    const end = await Promise.race([ended, once(child.stdout, "data")]);
    if (!Array.isArray(end)) throw new Error(`it ended with ${end.code}: ${end.err}`);
  }
  return match;
}
