// The proxies in `examples/proxy`: what they must forward, and what they must reject.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { png } from "../app/src/image.js";
import { inPage } from "../bundlers.js";
import { serveFiles } from "../programs.js";
import { root } from "../workspace.js";
import { createBody, key, received, recorderAddress, startApi } from "./api.js";
import { ambiguous, rejectedRequests, sessionsPath } from "./cases.js";
import { sendRaw, sendRequest } from "./raw-request.js";
import { proxies } from "./start.js";

/** @import { Env, Proxy } from "./start.js" */
/** @import { Received } from "./api.js" */
/** @import { TestRequest } from "./cases.js" */

/** The allowed origin. */
let allowedOrigin = "";

/** The path under which the proxies are reached. */
const PATH_PREFIX = "/api";

/** Defines the tests. */
export function keyProxies() {
  for (const [name, proxy] of Object.entries(proxies)) {
    describe(`${name} as a proxy that adds the API key`, () => {
      const { start, maxBodyBytes = 64 * 1024 * 1024 } = proxy;
      /** @type {Env} */
      let env;
      let address = "";
      /** @type {(() => void)[]} */
      const stop = [];
      before(async () => {
        allowedOrigin = await serveFiles(root);
        const UPSTREAM = await recorderAddress();
        const names = { ALLOWED_ORIGIN: allowedOrigin, SERVER_NAME: "127.0.0.1", PATH_PREFIX };
        env = { UPSTREAM, API_KEY: key, ...names };
        const started = await start(env);
        address = started.address + PATH_PREFIX;
        stop.push(started.stop, await startApi(address));
      });
      after(() => stop.forEach((stop) => stop()));

      test("lets a page create, preview and refine a session, and load its files", () =>
        assertForwardsSession(address));
      test("forwards only the headers that the API needs", () => assertFiltersHeaders(address));
      test("forwards what a browser needs to load files", () => assertForwardsFiles(address));
      test("lets the API limit each visitor", () => assertNamesVisitors(address, proxy));
      test("forwards a body at the limit", () => assertForwardsLargest(address, maxBodyBytes));
      for (const [what, request] of Object.entries(rejectedRequests(maxBodyBytes))) {
        test(`rejects ${what}`, () => assertRejects(address, request));
      }
      for (const [what, lines] of Object.entries(ambiguous)) {
        test(`reads no second request from ${what}`, () => assertNoSmuggling(address, lines));
      }
      test("blocks pages of other origins", () => assertBlocksOtherOrigins(address));
      test("forwards nothing without an API key", () => assertNeedsKey(start, env));
      const { usePage } = proxy;
      if (usePage) {
        test("serves a page beside the API", async () => {
          await inPage(address.replace(PATH_PREFIX, "/"), usePage);
        });
      }
      if (proxy.prefix === "any") {
        test("needs no prefix", () => assertNeedsNoPrefix(start, env));
      }
    });
  }
}

/** The URL of the library in a page that is served beside the package. */
const library = "/node_modules/csm-image-to-3d/index.js";

/** @param {string} baseUrl */
async function assertForwardsSession(baseUrl) {
  received.length = 0;
  /** @type {Promise<string>[]} */
  const responses = [];
  const { session, model, image, found } = await inPage(allowedOrigin, (page) => {
    page.on("response", (response) => {
      const text = response.text().catch(() => "");
      responses.push(text.then((text) => JSON.stringify(response.headers()) + text));
    });
    return page.evaluate(
      async ({ baseUrl, library, png }) => {
        const { createSession, getSession, listSessions, requestPreview, ...more } =
          /** @type {typeof import("csm-image-to-3d")} */ (await import(library));
        const options = { baseUrl, interval: 50 };
        const blob = new Blob([Uint8Array.from(png)]);
        const { session_code: code } = await createSession({
          ...{ image: blob, preview_mesh: "turbo", idempotencyKey: crypto.randomUUID(), baseUrl },
        });
        await more.waitForSession(code, { ...options, until: "spins" });
        await requestPreview(code, { selected_spin_index: 1, baseUrl });
        await more.waitForSession(code, options);
        await more.requestRefine(code, { baseUrl });
        await more.waitForSession(code, { ...options, until: "refine" });
        const { results } = await listSessions({ limit: 1000, page: 0, baseUrl });
        const session = await getSession(code, { baseUrl });
        const model = await (await fetch(String(session.preview_mesh_url_glb))).text();
        const image = Object.assign(new Image(), { src: session.image_url });
        await image.decode();
        const found = results.some(({ session_code }) => session_code === code);
        return { session, model: model.slice(0, 4), image: image.naturalWidth, found };
      },
      { baseUrl, library, png: [...png()] },
    );
  });
  assert.deepEqual(
    { status: session.status, model, image, found },
    { status: "refine_done", model: "glTF", image: 8, found: true },
  );
  assert.ok(session.preview_mesh_url_glb?.startsWith(`${baseUrl}/files/`));
  const upstream = new URL(await recorderAddress()).host;
  assert.ok(!JSON.stringify(session).includes(upstream), "the session names the upstream server");
  for (const response of await Promise.all(responses)) assert.ok(!response.includes(key));
  const [files, requests] = split(received, ({ url }) => url?.startsWith("/files/"));
  assert.ok(requests.length > 6);
  for (const { headers } of requests) assert.equal(headers["x-api-key"], key);
  assert.equal(requests.filter(({ headers }) => "idempotency-key" in headers).length, 1);
  assert.equal(files.length, 2);
}

/**
 * @template T
 * @param {T[]} all
 * @param {(one: T) => unknown} isFirst
 */
const split = (all, isFirst) => [all.filter(isFirst), all.filter((one) => !isFirst(one))];

/**
 * Asserts that the browser can load a part of a file, and again only if it has changed.
 *
 * @param {string} baseUrl
 */
async function assertForwardsFiles(baseUrl) {
  const { image_url: image } = await createSession(baseUrl);
  received.length = 0;
  const whole = await fetch(String(image));
  assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), png());
  const part = await fetch(String(image), { headers: { range: "bytes=1-3" } });
  assert.deepEqual([part.status, await part.text()], [206, "PNG"]);
  assert.equal(part.headers.get("content-range"), `bytes 1-3/${png().length}`);
  const etag = String(whole.headers.get("etag"));
  const again = await fetch(String(image), { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);
  assert.equal(whole.headers.get("cache-control"), "private, max-age=86400");
  const conditions = received.map(({ headers }) => [headers.range, headers["if-none-match"]]);
  assert.deepEqual(conditions, [
    [undefined, undefined],
    ["bytes=1-3", undefined],
    [undefined, etag],
  ]);
}

/** @param {string} baseUrl */
async function createSession(baseUrl) {
  const headers = { origin: allowedOrigin, "content-type": "application/json" };
  const response = await fetch(baseUrl + sessionsPath, {
    method: "POST",
    headers,
    body: createBody(),
  });
  assert.equal(response.status, 201);
  return /** @type {any} */ (await response.json()).data;
}

/**
 * Asserts that the API counts each visitor, and that visitors cannot choose their name.
 *
 * @param {string} address
 * @param {Proxy} proxy
 */
async function assertNamesVisitors(address, { visitorHeader }) {
  const create = async (/** @type {string} */ visitor, headers = {}) => {
    const { status } = await sendRequest(address, allowedOrigin, {
      method: "POST",
      body: createBody({ engine: "meshy" }),
      headers: { ...headers, ...(visitorHeader && { [visitorHeader]: visitor }) },
      ...(!visitorHeader && { localAddress: visitor }),
    });
    return status;
  };
  const names = ["x-visitor", "x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip"];
  const forged = names
    .filter((name) => name !== visitorHeader)
    .map((name) => [name, name === "forwarded" ? "for=127.0.0.9" : "127.0.0.9"]);
  assert.equal(await create("127.0.0.2"), 201);
  assert.equal(await create("127.0.0.2"), 402);
  assert.equal(await create("127.0.0.2", Object.fromEntries(forged)), 402);
  assert.equal(await create("127.0.0.3"), 201);
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
  assert.equal(forwarded.host, new URL(await recorderAddress()).host);
  for (const name of ["cookie", "authorization", "x-forwarded-host", "x-http-method-override"]) {
    assert.equal(forwarded[name], undefined, name);
  }
}

/**
 * @param {string} address
 * @param {number} length
 */
async function assertForwardsLargest(address, length) {
  const { status } = await sendRequest(address, allowedOrigin, { method: "POST", length });
  assert.equal(status, 400);
}

/**
 * @param {string} address
 * @param {TestRequest} request
 */
async function assertRejects(address, { headers = {}, ...request }) {
  received.length = 0;
  const { status, headers: responseHeaders } = await sendRequest(address, allowedOrigin, {
    ...request,
    headers: {
      ...headers,
      ...(headers.origin && { origin: headers.origin.replace("ALLOWED", allowedOrigin) }),
    },
  });
  // Next.js redirects to a path without double and trailing slashes.
  assert.ok(status === 0 || status === 308 || status >= 400, `status ${status}`);
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
  const { pathname } = new URL(address);
  const body = `0\r\n\r\nGET /sandbox/requests HTTP/1.1\r\n${commonHeaders}\r\n`;
  const framing = lines.join("\r\n").replace("HIDDEN", String(body.length));
  const requestHead = `POST ${pathname}${sessionsPath} HTTP/1.1\r\n${commonHeaders}`;
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
  const { status } = await sendRequest(proxy.address + PATH_PREFIX, allowedOrigin, {});
  proxy.stop();
  assert.ok(status === 0 || status >= 500, `status ${status}`);
  assert.deepEqual(received, [], "a request was forwarded");
}

/**
 * @param {(env: Env) => Promise<{ address: string, stop: () => void }>} start
 * @param {Env} env
 */
async function assertNeedsNoPrefix(start, env) {
  received.length = 0;
  const { address, stop } = await start({ ...env, PATH_PREFIX: "" });
  assert.equal((await sendRequest(address, allowedOrigin, {})).status, 200);
  assert.equal(received[0].url, sessionsPath);
  stop();
}
