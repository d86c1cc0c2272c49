// Starts further servers for a test file.

import { startProgram, waitForOutput } from "./programs.js";

/**
 * Starts a server of its own on a free port, and waits until it listens. Other test files, which may
 * run at the same time, create no sessions there.
 *
 * @param {string[]} [flags]
 * @param {Record<string, string>} [environment] variables in addition to those of the test
 */
export async function startServer(flags = [], environment) {
  const program = startProgram(
    "target/debug/csm-image-to-3d-server",
    ["--port", "0", ...flags],
    environment,
  );
  const [, address] = await waitForOutput(program, /^listening on (\S+)\n/);
  return { address, printed: program.printed };
}
