// Runs the program of `npx csm-image-to-3d`.

import { startProgram, waitForOutput } from "./programs.js";

const npx = (/** @type {string[]} */ ...flags) =>
  startProgram(process.execPath, ["pkg/bin.js", ...flags]);

/**
 * Runs the program to its end, and returns its output and its exit code.
 *
 * @param {string[]} flags
 */
export const runNpx = (...flags) => npx(...flags).ended;

/**
 * Starts the program on a free port, and waits until it listens.
 *
 * @param {string[]} flags
 */
export async function startNpx(...flags) {
  const program = npx("--port", "0", ...flags);
  const [, address] = await waitForOutput(program, /listening on (\S+)[^]*Ctrl\+C/);
  const { child, printed, ended } = program;
  return { address, printed, ended, kill: child.kill.bind(child) };
}
