// Jest, as the README describes it: with ES modules, or with Babel.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { server } from "../support/browsers.js";
import { run } from "./programs.js";
import { assertSession, consumer } from "./report.js";
import { createApp } from "./workspace.js";

const esModules = { NODE_OPTIONS: "--experimental-vm-modules" };

/** Defines the tests. */
export function jest() {
  inJest("Jest", { env: esModules });
  inJest("Jest, happy-dom", { env: esModules, args: ["--env=@happy-dom/jest-environment"] });
  inJest("Jest, Babel", { args: ["--config=with-babel.json"] });
}

/**
 * @param {string} name
 * @param {{ args?: string[], env?: NodeJS.ProcessEnv }} options
 */
function inJest(name, { args = [], env = {} }) {
  consumer(name, "jest", async () => {
    const variant = { overlay: "tests/consumers/jest", sandbox: "csm-image-to-3d/sandbox" };
    const cwd = createApp(name, variant);
    const flags = ["--cacheDirectory=cache", ...args];
    await run("jest", flags, { cwd, env: { SERVER: server, ...env } });
    await assertSession(JSON.parse(readFileSync(join(cwd, "result.json"), "utf8")), variant);
  });
}
