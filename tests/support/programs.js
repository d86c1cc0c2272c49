// Starts programs for a test file, and kills them when it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";

/** @import { ChildProcess } from "node:child_process" */

/** @type {Set<ChildProcess>} */
const running = new Set();
after(() => running.forEach((child) => child.kill("SIGKILL")));

/**
 * Starts a program. `printed` is its output so far; `ended` resolves to its whole output and its
 * exit code.
 *
 * @param {string} program
 * @param {string[]} flags
 * @param {Record<string, string>} [environment] variables in addition to those of the test
 */
export function startProgram(program, flags, environment) {
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
 * Waits until the standard output of a program matches a pattern, and returns the match. Fails if
 * the program ends before.
 *
 * @param {ReturnType<typeof startProgram>} program
 * @param {RegExp} pattern
 */
export async function waitForOutput({ child, printed, ended }, pattern) {
  let match;
  while (!(match = pattern.exec(printed.out))) {
    const end = await Promise.race([ended, once(child.stdout, "data")]);
    if (!Array.isArray(end)) throw new Error(`the program exited with ${end.code}: ${end.err}`);
  }
  return match;
}
