// Starts what `npx csm-image-to-3d` runs.

import { begin, says } from "./programs.js";

const npx = (/** @type {string[]} */ ...flags) => begin(process.execPath, ["pkg/bin.js", ...flags]);

/**
 * Runs it to its end: what it printed, and its exit code.
 *
 * @param {string[]} flags
 */
export const runNpx = (...flags) => npx(...flags).ended;

/**
 * Starts it on a free port, and answers once it listens.
 *
 * @param {string[]} flags
 */
export async function startNpx(...flags) {
  const program = npx("--port", "0", ...flags);
  const [, address] = await says(program, /listening on (\S+)[^]*Ctrl\+C/);
  const { child, printed, ended } = program;
  return { address, printed, ended, kill: child.kill.bind(child) };
}
