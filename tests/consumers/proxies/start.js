// Starts the example proxies as their README describes.

import { accessSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

import { findFreePort, start } from "../programs.js";
import { startWorkerd } from "../workerd.js";
import { root } from "../workspace.js";

/**
 * @typedef {object} Env the environment variables of a proxy
 * @property {string} UPSTREAM
 * @property {string} [API_KEY]
 * @property {string} ALLOWED_ORIGIN
 * @property {string} SERVER_NAME
 */

/** Starts a proxy, and returns its address. */
export const startProxy = {
  /** @param {Env} env */
  async nginx(env) {
    const listen = `127.0.0.1:${await findFreePort()}`;
    const folder = join(root, "nginx");
    mkdirSync(folder, { recursive: true });
    const template = readFileSync("examples/proxy/nginx.conf.template", "utf8");
    /** @type {Record<string, string>} */
    const values = { ...env, LISTEN: listen };
    const site = template.replaceAll(/\$\{(\w+)\}/g, (text, name) => values[name] ?? text);
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
    return { address: `http://${listen}`, stop };
  },

  /** @param {Env} env */
  async Caddy(env) {
    const port = await findFreePort();
    const folder = join(root, "caddy");
    mkdirSync(folder, { recursive: true });
    const example = resolve("examples/proxy/Caddyfile");
    const options = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\n";
    writeFileSync(join(folder, "Caddyfile"), `${options}import ${example}\n`);
    const flags = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
    const { stop } = await start(findProgram("caddy"), flags, /serving initial configuration/, {
      cwd: folder,
      env: { ...env, SITE_ADDRESS: `:${port}`, HOME: folder },
    });
    return { address: `http://127.0.0.1:${port}`, stop };
  },

  /** @param {Env} env */
  async Worker(env) {
    const folder = join(root, "worker");
    mkdirSync(folder, { recursive: true });
    cpSync("examples/proxy/worker.js", join(folder, "worker.js"));
    return startWorkerd(folder, "worker.js", { ...env });
  },
};

/**
 * Finds a program in `PATH` or `/usr/sbin`.
 *
 * @param {string} program
 */
function findProgram(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  for (const path of folders.map((folder) => join(folder, program))) {
    try {
      accessSync(path);
      return path;
    } catch {
      // Tries the next folder.
    }
  }
  throw new Error(
    `Missing program ${program}: install it (packages nginx-light and caddy on Debian and Ubuntu)`,
  );
}
