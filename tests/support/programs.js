// Starts programs for a test file, and kills them when it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";

/** @import { ChildProcess } from "node:child_process" */

/** @type {Set<ChildProcess>} */
const running = new Set();
/** Those with a process group of their own. @type {WeakSet<ChildProcess>} */
const leaders = new WeakSet();
after(() => running.forEach((child) => kill(child, "SIGKILL")));

/**
 * Sends a signal to a program and, if it has a process group of its own, to all programs in it.
 *
 * @param {ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
export function kill(child, signal) {
  if (leaders.has(child)) process.kill(-Number(child.pid), signal);
  else child.kill(signal);
}

/**
 * Starts a program. `printed` is its output so far; `ended` resolves to its whole output and its
 * exit code.
 *
 * @param {string} program
 * @param {string[]} flags
 * @param {Record<string, string>} [environment] variables in addition to those of the test
 * @param {{ detached?: boolean }} [settings] `detached` starts a process group, for programs that start
 *   others and do not end them
 */
export function startProgram(program, flags, environment, { detached = false } = {}) {
  const child = spawn(program, flags, { env: { ...process.env, ...environment }, detached });
  if (detached) leaders.add(child);
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
