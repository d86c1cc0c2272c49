// The examples that add a key on the way: what they must let through, and what they must not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { accessSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { delimiter, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";

import { canary, server } from "../browsers.js";
import { png } from "./app/src/picture.js";
import { inPage } from "./built.js";
import { root } from "./folder.js";
import { freePort, serve, start } from "./programs.js";
import { startWorkerd } from "./workerd.js";

/** @typedef {{ method?: string, url?: string, headers: import("node:http").IncomingHttpHeaders }} Seen */

const key = `${canary}-of-the-proxy`;
const sessions = "/image-to-3d-sessions";
const code = "SESSION_1234567890_1234567";

/** What came through to the API, whole. @type {Seen[]} */
const seen = [];

/** Before the API: it notes what comes. */
const upstream = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  incoming.on("end", () => seen.push({ method, url, headers }));
  const { hostname, port } = new URL(server);
  const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, "set-cookie": "a=b" });
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  incoming.on("error", () => onward.destroy());
  incoming.pipe(onward);
});

/**
 * @typedef {object} Env what each example reads
 * @property {string} UPSTREAM
 * @property {string} [API_KEY]
 * @property {string} ALLOWED_ORIGIN
 * @property {string} SERVER_NAME
 */

/** Each starts its proxy and answers where that listens. */
const proxies = {
  /** @param {Env} env */
  async nginx(env) {
    const listen = `127.0.0.1:${await freePort()}`;
    const folder = join(root, "nginx");
    mkdirSync(folder, { recursive: true });
    const template = readFileSync("examples/proxy/nginx.conf.template", "utf8");
    /** @type {Record<string, string>} */
    const values = { ...env, LISTEN: listen };
    const site = template.replaceAll(/\$\{(\w+)\}/g, (text, name) => values[name] ?? text);
    writeFileSync(join(folder, "site.conf"), site);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    writeFileSync(
      join(folder, "nginx.conf"),
      `user root; daemon off; pid nginx.pid; error_log stderr notice; events {}
       http {
         access_log off;
         ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
         include site.conf;
       }`,
    );
    const flags = ["-p", folder, "-e", "stderr", "-c", "nginx.conf"];
    const { stop } = await start(found("nginx"), flags, /start worker process/, { cwd: folder });
    return { address: `http://${listen}`, stop };
  },

  /** @param {Env} env */
  async Caddy(env) {
    const port = await freePort();
    const folder = join(root, "caddy");
    mkdirSync(folder, { recursive: true });
    const example = resolve("examples/proxy/Caddyfile");
    const options = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\n";
    writeFileSync(join(folder, "Caddyfile"), `${options}import ${example}\n`);
    const flags = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
    const { stop } = await start(found("caddy"), flags, /serving initial configuration/, {
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

/** @param {string} program */
function found(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  for (const path of folders.map((folder) => join(folder, program))) {
    try {
      accessSync(path);
      return path;
    } catch {
      // Not there.
    }
  }
  throw new Error(`${program} is missing: install it (nginx-light and caddy on Debian and Ubuntu)`);
}

/**
 * @typedef {object} Asked
 * @property {string} [method]
 * @property {string} [target]
 * @property {Record<string, string | undefined>} [headers] `undefined` leaves one out
 * @property {number} [length] of the body, in bytes
 * @property {boolean} [chunked] the length is not said in advance
 */

/**
 * The status of the answer; 0 where the connection was closed instead.
 *
 * @param {string} address
 * @param {Asked} asked
 * @returns {Promise<{ status: number, headers: import("node:http").IncomingHttpHeaders }>}
 */
function ask(address, { method = "GET", target = sessions, headers = {}, length = 0, chunked }) {
  const { hostname, port, host } = new URL(address);
  const all = {
    host,
    origin: allowed,
    ...(method === "POST" && { "content-type": "application/json" }),
    ...(length && !chunked && { "content-length": String(length) }),
    ...headers,
  };
  const sent = Object.entries(all).filter(([, value]) => value !== undefined);
  return new Promise((resolve) => {
    const asking = request({
      ...{ hostname, port, method, path: target, setHost: false, agent: false, timeout: 20_000 },
      headers: /** @type {Record<string, string>} */ (Object.fromEntries(sent)),
    });
    asking.on("response", (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
      answer.on("end", () => asking.destroy());
    });
    asking.on("upgrade", (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
    });
    asking.on("error", () => resolve({ status: 0, headers: {} }));
    asking.on("timeout", () => asking.destroy());
    const piece = Buffer.alloc(1024 * 1024, " ");
    const write = (/** @type {number} */ left) => {
      if (asking.destroyed) return;
      if (left <= 0) asking.end();
      else asking.write(piece.subarray(0, left), () => write(left - piece.length));
    };
    write(length);
  });
}

/** The origin of the page that may call. */
let allowed = "";

/** The most that is let through, in bytes. */
const largest = 64 * 1024 * 1024;

/** @type {Record<string, Asked>} */
const refusals = {
  "another path": { target: "/sandbox/requests" },
  "the root": { target: "/" },
  "a file": { target: `/files/${code}/image` },
  "a path that only begins so": { target: `${sessions}-of-others` },
  "a path in other letters": { target: "/Image-To-3D-Sessions" },
  "a dot segment": { target: `${sessions}/../sandbox/requests` },
  "an encoded dot segment": { target: `${sessions}/%2e%2e/sandbox/requests` },
  "encoded slashes": { target: `${sessions}/..%2fsandbox%2frequests` },
  "twice encoded slashes": { target: `${sessions}/..%252fsandbox%252frequests` },
  backslashes: { target: `${sessions}/..\\..\\sandbox\\requests` },
  "a double slash": { target: `/${sessions}` },
  "a double slash within": { target: `${sessions}//${code}` },
  "a slash at the end": { target: `${sessions}/${code}/` },
  "an encoded name": { target: `${sessions}/%53ESSION` },
  "an encoded null": { target: `${sessions}/${code}%00` },
  "an encoded line's end": { target: `${sessions}/${code}%0d%0ax-api-key:%20mine` },
  "a path parameter": { target: `${sessions};a=b` },
  "a query where none belongs": { target: `${sessions}/${code}?limit=1` },
  "a query of another name": { target: `${sessions}?limit=1&key=mine` },
  "a query twice": { target: `${sessions}?limit=1&limit=1000` },
  "an encoded query": { target: `${sessions}?limit=1%26admin=1` },
  "a query on a POST": { method: "POST", target: `${sessions}?limit=1`, length: 2 },
  "another step": { method: "POST", target: `${sessions}/get-3d/delete/${code}`, length: 2 },
  "a POST to a session": { method: "POST", target: `${sessions}/${code}`, length: 2 },
  DELETE: { method: "DELETE", target: `${sessions}/${code}` },
  PUT: { method: "PUT", target: `${sessions}/${code}`, length: 2 },
  PATCH: { method: "PATCH", target: `${sessions}/${code}`, length: 2 },
  HEAD: { method: "HEAD" },
  TRACE: { method: "TRACE" },
  "a verb of one's own": { method: "PURGE" },
  "a foreign page": { headers: { origin: "https://evil.example" } },
  "a foreign page's preflight": { method: "OPTIONS", headers: { origin: "https://evil.example" } },
  "a page without an origin": { headers: { origin: "null" } },
  "an origin that only begins so": { headers: { origin: "ALLOWED.evil.example" } },
  "a POST that tells no origin": { method: "POST", headers: { origin: undefined }, length: 2 },
  "a GET that tells no origin": { headers: { origin: undefined } },
  "a picture tag of a foreign page": {
    headers: { origin: undefined, "sec-fetch-site": "cross-site" },
  },
  "a body that says it is too large": { method: "POST", length: largest + 1 },
  "a body that is too large": { method: "POST", length: largest + 1, chunked: true },
  "an absolute address": {
    target: `http://evil.example${sessions}`,
    headers: { host: "evil.example" },
  },
  "an absolute address of another path": { target: "PROXY/sandbox/requests" },
  "another host": { headers: { host: "evil.example" } },
  "another host, same origin": {
    headers: { host: "evil.example", origin: undefined, "sec-fetch-site": "same-origin" },
  },
  "an upgrade": {
    headers: {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  },
};

/** Declares the tests. */
export function keyProxies() {
  for (const [name, begin] of Object.entries(proxies)) {
    describe(`${name} as a proxy that adds the key`, () => {
      /** @type {Env} */
      let env;
      /** @type {{ address: string, stop: () => void }} */
      let proxy;
      before(async () => {
        allowed = await serve(root);
        const UPSTREAM = await listening();
        env = { UPSTREAM, API_KEY: key, ALLOWED_ORIGIN: allowed, SERVER_NAME: "127.0.0.1" };
        proxy = await begin(env);
      });
      after(() => proxy.stop());

      test("lets a page live a session's whole life", () => wholeLife(proxy.address));
      test("passes on no more than is needed", () => passesOn(proxy.address));
      test("lets through a body up to the limit", () => passesLargest(proxy.address));
      for (const [what, asked] of Object.entries(refusals)) {
        test(`refuses ${what}`, () => refuses(proxy.address, asked));
      }
      test("lets a foreign page read nothing", () => foreignPage(proxy.address));
      test("lets nothing through without its key", () => withoutKey(begin, env));
    });
  }
}

/** The address of the upstream, which is the same for all. */
async function listening() {
  if (!upstream.listening) {
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    upstream.unref();
  }
  const { port } = /** @type {import("node:net").AddressInfo} */ (upstream.address());
  return `http://127.0.0.1:${port}`;
}

/** The library as a page has it that is served beside the package. */
const library = "/node_modules/csm-image-to-3d/index.js";

/** @param {string} baseUrl */
async function wholeLife(baseUrl) {
  seen.length = 0;
  const life = await inPage(allowed, (page) =>
    page.evaluate(
      async ({ baseUrl, library, picture }) => {
        const { createSession, getSession, listSessions, requestPreview, ...more } =
          /** @type {typeof import("csm-image-to-3d")} */ (await import(library));
        const options = { baseUrl, interval: 50 };
        const image = new Blob([Uint8Array.from(picture)]);
        const { session_code: code } = await createSession({
          ...{ image, preview_mesh: "turbo", idempotencyKey: crypto.randomUUID(), baseUrl },
        });
        await more.waitForSession(code, { ...options, until: "spins" });
        await requestPreview(code, { selected_spin_index: 1, baseUrl });
        await more.waitForSession(code, options);
        await more.requestRefine(code, { baseUrl });
        await more.waitForSession(code, { ...options, until: "refine" });
        const { results } = await listSessions({ limit: 1000, page: 0, baseUrl });
        const found = results.some(({ session_code }) => session_code === code);
        return { status: (await getSession(code, { baseUrl })).status, found };
      },
      { baseUrl, library, picture: [...png()] },
    ),
  );
  assert.deepEqual(life, { status: "refine_done", found: true });
  assert.ok(seen.length > 6);
  for (const { headers } of seen) assert.equal(headers["x-api-key"], key);
  assert.equal(seen.filter(({ headers }) => "idempotency-key" in headers).length, 1);
}

/** @param {string} address */
async function passesOn(address) {
  seen.length = 0;
  const { status, headers } = await ask(address, {
    method: "POST",
    headers: {
      "x-api-key": "mine",
      "idempotency-key": `once-${Math.random()}`,
      cookie: "login=secret",
      authorization: "Bearer secret",
      "x-forwarded-host": "evil.example",
      "x-http-method-override": "DELETE",
    },
    length: 2,
  });
  // It is the API that says that a picture is missing.
  assert.equal(status, 400);
  assert.equal(headers["access-control-allow-origin"], allowed);
  assert.equal(headers["set-cookie"], undefined);
  assert.doesNotMatch(JSON.stringify(headers), new RegExp(key));
  const [{ headers: passed }] = seen;
  assert.equal(passed["x-api-key"], key);
  assert.equal(passed["content-type"], "application/json");
  assert.match(String(passed["idempotency-key"]), /^once-/);
  assert.equal(passed.host, new URL(await listening()).host);
  for (const name of ["cookie", "authorization", "x-forwarded-host", "x-http-method-override"]) {
    assert.equal(passed[name], undefined, name);
  }
}

/** @param {string} address */
async function passesLargest(address) {
  const { status } = await ask(address, { method: "POST", length: largest });
  assert.equal(status, 400);
}

/**
 * @param {string} address
 * @param {Asked} asked
 */
async function refuses(address, { target, headers = {}, ...asked }) {
  seen.length = 0;
  const { status, headers: answered } = await ask(address, {
    ...asked,
    target: target?.replace("PROXY", address),
    headers: {
      ...headers,
      ...(headers.origin && { origin: headers.origin.replace("ALLOWED", allowed) }),
    },
  });
  assert.ok(status === 0 || status >= 400, `answered ${status}`);
  assert.deepEqual(seen, [], "it came through");
  if (headers.origin) assert.equal(answered["access-control-allow-origin"], undefined);
}

/** @param {string} baseUrl */
async function foreignPage(baseUrl) {
  seen.length = 0;
  const kinds = await inPage(await serve(root), (page) =>
    page.evaluate(
      async ({ baseUrl, library, picture }) => {
        const { createSession, listSessions } = /** @type {typeof import("csm-image-to-3d")} */ (
          await import(library)
        );
        const kind = (/** @type {Promise<unknown>} */ promise) =>
          promise.then(
            () => "answered",
            (error) => error.kind,
          );
        const image = new Blob([Uint8Array.from(picture)]);
        return [
          await kind(createSession({ image, baseUrl, maxRetries: 0 })),
          await kind(listSessions({ baseUrl, maxRetries: 0 })),
          // Without a preflight, and without a look at the answer.
          await fetch(`${baseUrl}/image-to-3d-sessions`, {
            ...{ method: "POST", mode: "no-cors", body: "{}" },
          }).then(({ type }) => type),
        ];
      },
      { baseUrl, library, picture: [...png()] },
    ),
  );
  assert.deepEqual(kinds, ["network", "network", "opaque"]);
  assert.deepEqual(seen, [], "it came through");
}

/**
 * @param {(env: Env) => Promise<{ address: string, stop: () => void }>} begin
 * @param {Env} env
 */
async function withoutKey(begin, { API_KEY, ...env }) {
  seen.length = 0;
  const proxy = await begin(env).catch(() => undefined);
  if (!proxy) return;
  const { status } = await ask(proxy.address, {});
  proxy.stop();
  assert.ok(status === 0 || status >= 500, `answered ${status}`);
  assert.deepEqual(seen, [], "it came through");
}
