// Runs the native server, which npm installs as an optional package for the platform.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";

/** The platforms that have a native server, as Node.js names them. */
const platforms = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "win32-x64"];

const platform = `${process.platform}-${process.arch}`;
const packageName = `@csm-image-to-3d/server-${platform}`;

/** Says why there is no native server here. */
export const reasonForNoNativeServer = () =>
  platforms.includes(platform)
    ? `The package ${packageName} is not installed; npm leaves it out with --omit=optional.`
    : `There is none for ${platform}.`;

/**
 * Returns the paths of the installed native server and of its website, or `undefined` if it is not
 * installed.
 */
export function findNativeServer() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
    const extension = process.platform === "win32" ? ".exe" : "";
    return {
      program: join(folder, `csm-image-to-3d-server${extension}`),
      site: join(folder, "site"),
    };
  } catch {
    return undefined;
  }
}

/**
 * Runs the native server until it exits, and returns its exit code.
 *
 * @param {{ program: string, site: string }} server
 * @param {string[]} flags those of the server. Without `--site`, it serves the demo page
 * @throws {Error} if the program cannot be started
 */
export async function runNativeServer({ program, site }, flags) {
  const hasSite = flags.some((flag) => /^--site(=|$)/.test(flag));
  const child = spawn(program, hasSite ? flags : ["--site", site, ...flags], {
    // The name in its help.
    argv0: "csm-image-to-3d",
    stdio: "inherit",
  });
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP", "SIGINT"])) {
    process.on(signal, () => {
      // A terminal sends SIGINT to both processes.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  const [code, signal] = await once(child, "exit");
  return code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
}
