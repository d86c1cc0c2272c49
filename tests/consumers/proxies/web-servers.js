// Starts nginx and Caddy with a configuration.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { findProgram, start } from "../programs.js";
import { root } from "../workspace.js";

/**
 * Starts nginx.
 *
 * @param {string} name of its folder
 * @param {string} site the content of its `http` block
 */
export async function startNginx(name, site) {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "site.conf"), site);
  const temporaryPaths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    join(folder, "nginx.conf"),
    `user root; daemon off; pid nginx.pid; error_log stderr notice; events {}
     http {
       access_log off;
       ${temporaryPaths.map((name) => `${name}_temp_path ${name};`).join(" ")}
       include site.conf;
     }`,
  );
  const flags = ["-p", folder, "-e", "stderr", "-c", "nginx.conf"];
  const { stop } = await start(findProgram("nginx"), flags, /start worker process/, {
    cwd: folder,
  });
  return stop;
}

/**
 * Starts Caddy on this machine only, and without certificates.
 *
 * @param {string} name of its folder
 * @param {string} sites
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function startCaddy(name, sites, env) {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const options = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\n";
  writeFileSync(join(folder, "Caddyfile"), options + sites);
  const flags = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
  const { stop } = await start(findProgram("caddy"), flags, /serving initial configuration/, {
    cwd: folder,
    env: { ...env, HOME: folder },
  });
  return stop;
}
