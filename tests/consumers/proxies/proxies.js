// The examples that add a key on the way: what they must let through, and what they must not.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { server } from "../../support/browsers.js";
import { canary } from "../../support/keys.js";
import { png } from "../app/src/picture.js";
import { inPage } from "../built.js";
import { root } from "../folder.js";
import { serve } from "../programs.js";
import { ask, send } from "./ask.js";
import { proxies } from "./begin.js";
import { ambiguous, largest, refusals, sessions } from "./cases.js";

/** @import { Env } from "./begin.js" */
/** @import { Asked } from "./cases.js" */
/** @typedef {{ method?: string, url?: string, headers: import("node:http").IncomingHttpHeaders }} Seen */

const key = `${canary}-of-the-proxy`;

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

/** The origin of the page that may call. */
let allowed = "";

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
      for (const [what, lines] of Object.entries(ambiguous)) {
        test(`finds no second request in ${what}`, () => oneAtMost(proxy.address, lines));
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
  const { status, headers } = await ask(address, allowed, {
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
  const { status } = await ask(address, allowed, { method: "POST", length: largest });
  assert.equal(status, 400);
}

/**
 * @param {string} address
 * @param {Asked} asked
 */
async function refuses(address, { target, headers = {}, ...asked }) {
  seen.length = 0;
  const { status, headers: answered } = await ask(address, allowed, {
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

/**
 * @param {string} address
 * @param {string[]} lines
 */
async function oneAtMost(address, lines) {
  seen.length = 0;
  const own = `Host: ${new URL(address).host}\r\nOrigin: ${allowed}\r\n`;
  const body = `0\r\n\r\nGET /sandbox/requests HTTP/1.1\r\n${own}\r\n`;
  const framing = lines.join("\r\n").replace("HIDDEN", String(body.length));
  const begin = `POST ${sessions} HTTP/1.1\r\n${own}`;
  await send(address, `${begin}${framing}\r\n\r\n${body}`);

  // One that is clear comes through the same way.
  const key = randomUUID();
  const isClear = (/** @type {Seen} */ { headers }) => headers["idempotency-key"] === key;
  const came = until(() => seen.some(isClear));
  await send(address, `${begin}Idempotency-Key: ${key}\r\nContent-Length: 2\r\n\r\n{}`, came);
  assert.equal(seen.filter(isClear).length, 1);

  const others = seen.filter((request) => !isClear(request));
  for (const { method, url } of others) assert.equal(`${method} ${url}`, `POST ${sessions}`);
  assert.ok(others.length <= 1);
}

/**
 * Waits until something is so, but no longer than 10 s.
 *
 * @param {() => boolean} isSo
 */
async function until(isSo) {
  for (const end = Date.now() + 10_000; Date.now() < end && !isSo();) await setTimeout(20);
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
  const { status } = await ask(proxy.address, allowed, {});
  proxy.stop();
  assert.ok(status === 0 || status >= 500, `answered ${status}`);
  assert.deepEqual(seen, [], "it came through");
}
