// The proxies in `examples/proxy`: what they must forward, and what they must reject.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { server } from "../../support/browsers.js";
import { canary } from "../../support/keys.js";
import { png } from "../app/src/image.js";
import { inPage } from "../bundlers.js";
import { serveFiles } from "../programs.js";
import { root } from "../workspace.js";
import { ambiguous, maxBodyBytes, rejectedRequests, sessionsPath } from "./cases.js";
import { sendRaw, sendRequest } from "./raw-request.js";
import { startProxy } from "./start.js";

/** @import { Env } from "./start.js" */
/** @import { TestRequest } from "./cases.js" */
/** @typedef {{ method?: string, url?: string, headers: import("node:http").IncomingHttpHeaders }} Received */

const key = `${canary}-of-the-proxy`;

/** The requests that reached the API. @type {Received[]} */
const received = [];

/** A proxy in front of the API that records requests. */
const upstream = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  incoming.on("end", () => received.push({ method, url, headers }));
  const { hostname, port } = new URL(server);
  const forwarded = request({ hostname, port, method, path: url, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 500, { ...response.headers, "set-cookie": "a=b" });
    response.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.destroy());
  incoming.on("error", () => forwarded.destroy());
  incoming.pipe(forwarded);
});

/** The allowed origin. */
let allowedOrigin = "";

/** Defines the tests. */
export function keyProxies() {
  for (const [name, start] of Object.entries(startProxy)) {
    describe(`${name} as a proxy that adds the API key`, () => {
      /** @type {Env} */
      let env;
      /** @type {{ address: string, stop: () => void }} */
      let proxy;
      before(async () => {
        allowedOrigin = await serveFiles(root);
        const UPSTREAM = await upstreamAddress();
        env = { UPSTREAM, API_KEY: key, ALLOWED_ORIGIN: allowedOrigin, SERVER_NAME: "127.0.0.1" };
        proxy = await start(env);
      });
      after(() => proxy.stop());

      test("lets a page create, preview and refine a session", () =>
        assertForwardsSession(proxy.address));
      test("forwards only the headers that the API needs", () =>
        assertFiltersHeaders(proxy.address));
      test("forwards a body at the limit", () => assertForwardsLargest(proxy.address));
      for (const [what, request] of Object.entries(rejectedRequests)) {
        test(`rejects ${what}`, () => assertRejects(proxy.address, request));
      }
      for (const [what, lines] of Object.entries(ambiguous)) {
        test(`reads no second request from ${what}`, () => assertNoSmuggling(proxy.address, lines));
      }
      test("blocks pages of other origins", () => assertBlocksOtherOrigins(proxy.address));
      test("forwards nothing without an API key", () => assertNeedsKey(start, env));
    });
  }
}

/** Starts the upstream server, shared by all proxies, and returns its address. */
async function upstreamAddress() {
  if (!upstream.listening) {
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    upstream.unref();
  }
  const { port } = /** @type {import("node:net").AddressInfo} */ (upstream.address());
  return `http://127.0.0.1:${port}`;
}

/** The URL of the library in a page that is served beside the package. */
const library = "/node_modules/csm-image-to-3d/index.js";

/** @param {string} baseUrl */
async function assertForwardsSession(baseUrl) {
  received.length = 0;
  const result = await inPage(allowedOrigin, (page) =>
    page.evaluate(
      async ({ baseUrl, library, png }) => {
        const { createSession, getSession, listSessions, requestPreview, ...more } =
          /** @type {typeof import("csm-image-to-3d")} */ (await import(library));
        const options = { baseUrl, interval: 50 };
        const image = new Blob([Uint8Array.from(png)]);
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
      { baseUrl, library, png: [...png()] },
    ),
  );
  assert.deepEqual(result, { status: "refine_done", found: true });
  assert.ok(received.length > 6);
  for (const { headers } of received) assert.equal(headers["x-api-key"], key);
  assert.equal(received.filter(({ headers }) => "idempotency-key" in headers).length, 1);
}

/** @param {string} address */
async function assertFiltersHeaders(address) {
  received.length = 0;
  const { status, headers } = await sendRequest(address, allowedOrigin, {
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
  // The API rejects the body, which has no image: so the request reached it.
  assert.equal(status, 400);
  assert.equal(headers["access-control-allow-origin"], allowedOrigin);
  assert.equal(headers["set-cookie"], undefined);
  assert.doesNotMatch(JSON.stringify(headers), new RegExp(key));
  const [{ headers: forwarded }] = received;
  assert.equal(forwarded["x-api-key"], key);
  assert.equal(forwarded["content-type"], "application/json");
  assert.match(String(forwarded["idempotency-key"]), /^once-/);
  assert.equal(forwarded.host, new URL(await upstreamAddress()).host);
  for (const name of ["cookie", "authorization", "x-forwarded-host", "x-http-method-override"]) {
    assert.equal(forwarded[name], undefined, name);
  }
}

/** @param {string} address */
async function assertForwardsLargest(address) {
  const { status } = await sendRequest(address, allowedOrigin, {
    method: "POST",
    length: maxBodyBytes,
  });
  assert.equal(status, 400);
}

/**
 * @param {string} address
 * @param {TestRequest} request
 */
async function assertRejects(address, { target, headers = {}, ...request }) {
  received.length = 0;
  const { status, headers: responseHeaders } = await sendRequest(address, allowedOrigin, {
    ...request,
    target: target?.replace("PROXY", address),
    headers: {
      ...headers,
      ...(headers.origin && { origin: headers.origin.replace("ALLOWED", allowedOrigin) }),
    },
  });
  assert.ok(status === 0 || status >= 400, `status ${status}`);
  assert.deepEqual(received, [], "a request was forwarded");
  if (headers.origin) assert.equal(responseHeaders["access-control-allow-origin"], undefined);
}

/**
 * @param {string} address
 * @param {string[]} lines
 */
async function assertNoSmuggling(address, lines) {
  received.length = 0;
  const commonHeaders = `Host: ${new URL(address).host}\r\nOrigin: ${allowedOrigin}\r\n`;
  const body = `0\r\n\r\nGET /sandbox/requests HTTP/1.1\r\n${commonHeaders}\r\n`;
  const framing = lines.join("\r\n").replace("HIDDEN", String(body.length));
  const requestHead = `POST ${sessionsPath} HTTP/1.1\r\n${commonHeaders}`;
  await sendRaw(address, `${requestHead}${framing}\r\n\r\n${body}`);

  // An unambiguous request is forwarded.
  const key = randomUUID();
  const isUnambiguous = (/** @type {Received} */ { headers }) => headers["idempotency-key"] === key;
  const arrived = waitUntil(() => received.some(isUnambiguous));
  await sendRaw(
    address,
    `${requestHead}Idempotency-Key: ${key}\r\nContent-Length: 2\r\n\r\n{}`,
    arrived,
  );
  assert.equal(received.filter(isUnambiguous).length, 1);

  const others = received.filter((request) => !isUnambiguous(request));
  for (const { method, url } of others) assert.equal(`${method} ${url}`, `POST ${sessionsPath}`);
  assert.ok(others.length <= 1);
}

/**
 * Waits until a condition holds, for at most 10 s.
 *
 * @param {() => boolean} condition
 */
async function waitUntil(condition) {
  for (const end = Date.now() + 10_000; Date.now() < end && !condition();) await setTimeout(20);
}

/** @param {string} baseUrl */
async function assertBlocksOtherOrigins(baseUrl) {
  received.length = 0;
  const kinds = await inPage(await serveFiles(root), (page) =>
    page.evaluate(
      async ({ baseUrl, library, png }) => {
        const { createSession, listSessions } = /** @type {typeof import("csm-image-to-3d")} */ (
          await import(library)
        );
        const kind = (/** @type {Promise<unknown>} */ promise) =>
          promise.then(
            () => "succeeded",
            (error) => error.kind,
          );
        const image = new Blob([Uint8Array.from(png)]);
        return [
          await kind(createSession({ image, baseUrl, maxRetries: 0 })),
          await kind(listSessions({ baseUrl, maxRetries: 0 })),
          // A simple request: no preflight, opaque response.
          await fetch(`${baseUrl}/image-to-3d-sessions`, {
            ...{ method: "POST", mode: "no-cors", body: "{}" },
          }).then(({ type }) => type),
        ];
      },
      { baseUrl, library, png: [...png()] },
    ),
  );
  assert.deepEqual(kinds, ["network", "network", "opaque"]);
  assert.deepEqual(received, [], "a request was forwarded");
}

/**
 * @param {(env: Env) => Promise<{ address: string, stop: () => void }>} start
 * @param {Env} env
 */
async function assertNeedsKey(start, { API_KEY, ...env }) {
  received.length = 0;
  const proxy = await start(env).catch(() => undefined);
  if (!proxy) return;
  const { status } = await sendRequest(proxy.address, allowedOrigin, {});
  proxy.stop();
  assert.ok(status === 0 || status >= 500, `status ${status}`);
  assert.deepEqual(received, [], "a request was forwarded");
}
