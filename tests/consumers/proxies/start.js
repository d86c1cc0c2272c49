// Starts the example proxies as their README describes.

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { findFreePort, run, start } from "../programs.js";
import { startWorkerd } from "../workerd.js";
import { copyExample, root } from "../workspace.js";
import { startCaddy, startNginx } from "./web-servers.js";

/**
 * @typedef {object} Env the environment variables of a proxy
 * @property {string} UPSTREAM
 * @property {string} [API_KEY]
 * @property {string} ALLOWED_ORIGIN
 * @property {string} SERVER_NAME
 * @property {string} PATH_PREFIX
 *
 * @typedef {object} Proxy
 * @property {(env: Env) => Promise<{ address: string, stop: () => void }>} start returns the address
 *   without the prefix
 * @property {(page: import("playwright-core").Page) => Promise<unknown>} [usePage] uses the page that
 *   it serves beside the proxy
 * @property {"any"} [prefix] set if the prefix may be missing
 * @property {number} [maxBodyBytes] the largest body, if not 64 MiB
 * @property {string} [visitorHeader] the header in which the platform names the visitor. Others take
 *   the address of the connection
 */

/** Starts proxies. */
const starters = {
  /** @param {Env} env */
  async nginx(env) {
    const listen = `127.0.0.1:${await findFreePort()}`;
    const template = readFileSync("examples/proxy/nginx.conf.template", "utf8");
    /** @type {Record<string, string>} */
    const values = { ...env, LISTEN: listen };
    const site = template.replaceAll(/\$\{(\w+)\}/g, (text, name) => values[name] ?? text);
    const stop = await startNginx("nginx", site);
    return { address: `http://${listen}`, stop };
  },

  /** @param {Env} env */
  async caddy(env) {
    const port = await findFreePort();
    const site = `import ${resolve("examples/proxy/Caddyfile")}\n`;
    const stop = await startCaddy("caddy", site, { ...env, SITE_ADDRESS: `:${port}` });
    return { address: `http://127.0.0.1:${port}`, stop };
  },

  /** @param {Env} env */
  async worker(env) {
    const folder = join(root, "worker");
    mkdirSync(folder, { recursive: true });
    cpSync("examples/proxy/worker.js", join(folder, "worker.js"));
    return startWorkerd(folder, "worker.js", { ...env });
  },

  /** @param {Env} env */
  express(env) {
    const site = join(root, "express", "dist");
    mkdirSync(site, { recursive: true });
    writeFileSync(join(site, "index.html"), "<title>The shop</title>");
    return startNode("express", ["express-app.js"], { ...env, PORT: "0" });
  },

  /** @param {Env} env */
  async next(env) {
    const folder = join(root, "examples/next");
    if (!existsSync(folder)) {
      for (const name of ["next", "proxy"]) copyExample(name, join(root, "examples", name));
      await run("npm", ["run", "build"], { cwd: folder });
    }
    const port = String(await findFreePort());
    const address = `http://127.0.0.1:${port}`;
    const flags = ["start", "--hostname", "127.0.0.1", "--port", port];
    const { stop } = await start("next", flags, /Ready in/, {
      cwd: folder,
      env: {
        ...env,
        ALLOWED_ORIGIN: `${env.ALLOWED_ORIGIN} ${address}`,
        VISITOR_HEADER: "x-real-ip",
      },
    });
    return { address, stop };
  },

  /** @param {Env} env */
  vercel: (env) => startNode("vercel", ["functions.js", "./route.js"], { ...env, VERCEL: "1" }),

  /** @param {Env} env */
  netlify: (env) => startNode("netlify", ["functions.js", "./netlify.js"], env),
};

/** @type {Record<string, Proxy>} */
export const proxies = {
  nginx: { start: starters.nginx, prefix: "any" },
  Caddy: { start: starters.caddy, prefix: "any" },
  "Cloudflare Worker": {
    start: starters.worker,
    prefix: "any",
    visitorHeader: "cf-connecting-ip",
  },
  Express: {
    start: starters.express,
    prefix: "any",
    usePage: async (page) => assert.equal(await page.title(), "The shop"),
  },
  "Next.js": {
    start: starters.next,
    visitorHeader: "x-real-ip",
    usePage: async (page) => {
      await page.getByLabel("Image").setInputFiles("www/samples/turtle.webp");
      await page.waitForFunction(
        () => /** @type {any} */ (document.querySelector("model-viewer"))?.loaded,
      );
    },
  },
  "Vercel function": {
    start: starters.vercel,
    maxBodyBytes: 4_500_000,
    visitorHeader: "x-vercel-forwarded-for",
  },
  "Netlify function": {
    start: starters.netlify,
    maxBodyBytes: 6_000_000,
    visitorHeader: "x-nf-client-connection-ip",
  },
};

/**
 * Starts an app in Node.js beside the modules of the proxy.
 *
 * @param {string} name
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function startNode(name, args, env) {
  const folder = join(root, name);
  cpSync("tests/consumers/proxies/apps", folder, { recursive: true });
  copyExample("proxy", folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  const { match, stop } = await start("node", args, /^listening on (\S+)/, { cwd: folder, env });
  return { address: match[1], stop };
}
