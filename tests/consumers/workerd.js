// Runs Cloudflare Workers in workerd.

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { start } from "./programs.js";

/**
 * Starts a Worker that may connect to any address on this machine.
 *
 * @param {string} folder of its modules
 * @param {string} main the module that handles requests
 * @param {Record<string, string>} env its bindings
 */
export async function startWorkerd(folder, main, env) {
  const others = readdirSync(folder).filter((name) => name !== main && /\.(js|wasm)$/.test(name));
  const modules = [main, ...others].map((name) => {
    const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
    return `(name = "${name}", ${kind} = embed "${name}")`;
  });
  const bindings = Object.keys(env).map(
    (name) => `(name = "${name}", fromEnvironment = "${name}")`,
  );
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  bindings = [${bindings.join(", ")}],
  compatibilityDate = "2026-11-01",
);
`,
  );
  const flags = ["serve", "config.capnp", "--control-fd=1"];
  const listening = /"event":"listen","socket":"http","port":(\d+)/;
  const { match, ...program } = await start("workerd", flags, listening, { cwd: folder, env });
  return { ...program, address: `http://127.0.0.1:${match[1]}` };
}
