// Calls whose inputs, `fetch` or server misbehave: every promise settles, with an error that helps and
// contains no key.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { test } from "node:test";

// @ts-expect-error it has no types
import nodeFetch from "node-fetch";
import * as undici from "undici";

import { createSession, downloadModel, getSession, imageTo3d } from "../../pkg/index.js";
import {
  CANARY,
  baseUrl,
  code,
  failure,
  fetchInTurn,
  image,
  png,
  sessionResponse,
} from "../support/fake-api.js";

test("a file that cannot be read any more does not end a Node.js process", () => {
  const script = `
    import { openAsBlob } from "node:fs";
    import { unlinkSync, writeFileSync } from "node:fs";
    import { createSession } from "./pkg/index.js";
    const file = process.argv[1];
    writeFileSync(file, Buffer.alloc(3_000_000, Buffer.from("${png.toString("base64")}", "base64")));
    const image = await openAsBlob(file);
    unlinkSync(file);
    try {
      await createSession({ image, baseUrl: "${baseUrl}" });
    } catch (error) {
      console.log(error.kind, error.message, error.cause?.name);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log("alive");`;
  const file = `${process.cwd()}/target/unreadable-${process.pid}.png`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script, file], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  assert.match(
    output,
    /^unsupported_image image: the file cannot be read\. It was changed or moved after it was chosen, or is not on this device \(.+\)\. NotReadableError\nalive\n$/,
  );
});

test("fetch is called with a URL and a plain object", async () => {
  /** @type {any[]} */
  let received = [];
  await createSession({
    image,
    baseUrl,
    apiKey: `key-${CANARY}`,
    fetch: async (...args) => {
      received = args;
      return sessionResponse({}, { status: 201 });
    },
  });
  const [url, { method, headers, redirect, body, signal }] = received;
  assert.equal(url, `${baseUrl}/image-to-3d-sessions`);
  assert.deepEqual({ method, redirect }, { method: "POST", redirect: "manual" });
  assert.deepEqual(
    { ...headers },
    { "content-type": "application/json", "x-api-key": `key-${CANARY}` },
  );
  assert.ok(body.length > png.length && signal instanceof AbortSignal);
});

test("a fetch that throws or returns no Response is an invalid option", async () => {
  for (const [fetch, sent, message] of /** @type {[any, string, RegExp][]} */ ([
    [
      () => {
        throw new TypeError("Only absolute URLs are supported");
      },
      "no",
      /^The function fetch threw: Only absolute URLs are supported$/,
    ],
    [() => undefined, "unknown", /^The function fetch must return a Response, got undefined$/],
    [async () => ({ status: 200, data: {} }), "unknown", /must return a Response, got \{…\}$/],
  ])) {
    let calls = 0;
    const counting = (/** @type {any[]} */ ...args) => {
      calls++;
      return fetch(...args);
    };
    const error = await failure(createSession({ image, baseUrl, fetch: counting, maxRetries: 5 }));
    assert.deepEqual([error.kind, error.sent], ["invalid_options", sent]);
    assert.match(error.message, message);
    assert.equal(calls, 1);
  }
});

test("the fetch of other libraries works", async () => {
  const model = Buffer.alloc(100_000, "model");
  /** @type {string[]} */
  const received = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    received.push(`${request.method} ${request.headers["x-api-key"]} ${body.length > png.length}`);
    if (request.url === "/model.glb") return response.end(model);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ data: { session_code: code, status: "preview_done" } }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const baseUrl = `http://127.0.0.1:${port}`;
  try {
    for (const fetch of /** @type {any[]} */ ([undici.fetch, nodeFetch, globalThis.fetch])) {
      received.length = 0;
      const options = { baseUrl, fetch, apiKey: "k" };
      await createSession({ image, ...options });
      const session = await getSession(code, options);
      const blob = await downloadModel(
        { ...session, mesh_url_glb: `${baseUrl}/model.glb` },
        options,
      );
      assert.deepEqual(Buffer.from(await blob.arrayBuffer()), model);
      assert.deepEqual(received, ["POST k true", "GET k false", "GET k false"]);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a Response with only text() is accepted", async () => {
  const json = JSON.stringify({ data: { session_code: code, status: "preview_done" } });
  const response = { status: 200, headers: { get: () => null }, text: async () => json };
  const session = await getSession(code, { fetch: async () => /** @type {any} */ (response) });
  assert.equal(session.session_code, code);
});

test("no error contains a key that the server echoes in any encoding", async () => {
  const key = `sk/live+abc&def<ghi>"j'k\\l ${CANARY}`;
  const php = JSON.stringify(key).slice(1, -1).replaceAll("/", "\\/");
  const go = php.replaceAll("&", "\\u0026").replaceAll("<", "\\u003C").replaceAll(">", "\\u003e");
  const html = key
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
  for (const body of [
    JSON.stringify({ message: `no ${key}` }),
    `{"message":"no ${php}","deep":[{"${php}":["${go}"]}]}`,
    `{"error":"${go}"}`,
    `{"x":["${php}"]}`,
    `<p>${html}</p>`,
    `key=${encodeURIComponent(key)}&`,
    "x".repeat(195) + key,
    `{"message":"${php}`,
  ]) {
    for (const status of [400, 500, 200]) {
      const fetch = async () => new Response(body, { status });
      const error = await failure(
        createSession({ image, baseUrl, apiKey: key, fetch, maxRetries: 0 }),
      );
      assertWithoutSecret(error, [CANARY, "sk/live", "sk\\/live"], body);
    }
  }
  const fetch = async () =>
    new Response(
      `{"data":{"session_code":"${code}","status":"preview_done","note":"${go}","${php}":1}}`,
    );
  const session = await getSession(code, { baseUrl, apiKey: key, fetch });
  assertWithoutSecret(session, [CANARY], "a session");
});

/**
 * @param {unknown} value
 * @param {string[]} secrets
 * @param {string} context
 */
function assertWithoutSecret(value, secrets, context) {
  const error = /** @type {any} */ (value);
  const printed = [
    String(error),
    error.stack,
    JSON.stringify(error),
    JSON.stringify(error.body),
  ].join("\n");
  for (const secret of secrets) {
    assert.ok(!printed.includes(secret), `${context}\n${printed.replaceAll(CANARY, "(the key)")}`);
  }
}

test("no error contains a credential of the caller's headers", async () => {
  for (const [headers, echoed] of /** @type {[Record<string, string>, string][]} */ ([
    [{ authorization: `Bearer tok_${CANARY}` }, `tok_${CANARY}`],
    [{ authorization: `Basic ${btoa(`me:pass_${CANARY}`)}` }, `pass_${CANARY}`],
    [{ "x-session-token": `tok_${CANARY}` }, `tok_${CANARY}`],
    [{ cookie: `id=tok_${CANARY}` }, `id=tok_${CANARY}`],
  ])) {
    const fetch = async () => Response.json({ message: `Unknown ${echoed}` }, { status: 401 });
    const error = await failure(getSession(code, { baseUrl, headers, fetch }));
    assertWithoutSecret(error, [CANARY], JSON.stringify(Object.keys(headers)));
    assert.equal(error.message, "Unknown [hidden] (HTTP 401)");
    assert.equal(error.body.message, "Unknown [hidden]");
  }
});

test("an error keeps what was thrown as its cause, unless it may contain the key", async () => {
  const thrown = new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") });
  const apiKey = `key-${CANARY}`;
  const options = { baseUrl, apiKey, maxRetries: 0 };
  const kept = await failure(getSession(code, { ...options, fetch: () => Promise.reject(thrown) }));
  assert.equal(kept.cause, thrown);

  for (const holding of [
    new Error(`sent ${apiKey}`),
    Object.assign(new Error("failed"), { config: { headers: { "x-api-key": apiKey } } }),
    Object.assign(new Error("failed"), {
      request: new Request(baseUrl, { headers: { a: apiKey } }),
    }),
    new Error("failed", { cause: apiKey }),
  ]) {
    const error = await failure(
      getSession(code, { ...options, fetch: () => Promise.reject(holding) }),
    );
    assert.notEqual(error.cause, holding);
    assert.equal(error.cause.message, holding.message.replace(apiKey, "[hidden]"));
    assert.deepEqual(Object.keys(error.cause), []);
  }
});

test("a session code cannot name another path", async () => {
  const { requests, fetch } = fetchInTurn();
  for (const wrong of ["", ".", "..", "a/b", "../keys", "a?b", "a b", "%2e%2e", undefined, 5]) {
    const error = await failure(getSession(/** @type {any} */ (wrong), { baseUrl, fetch }));
    assert.equal(error.kind, "invalid_options");
    assert.match(
      error.message,
      /^Invalid session_code .*: expected the code of a session, such as "SESSION_/,
    );
  }
  assert.deepEqual(requests, []);
  const invalid = async () => sessionResponse({ session_code: "../keys" }, { status: 201 });
  const error = await failure(imageTo3d({ image, baseUrl, fetch: invalid }));
  assert.deepEqual([error.kind, error.sent], ["api", "unknown"]);
  assert.equal(error.session.session_code, "../keys");
});

test("options are own fields, and each is read once", async () => {
  /** @type {any} */
  const prototype = Object.prototype;
  let polluted = 0;
  prototype.fetch = async () => {
    polluted++;
    return sessionResponse();
  };
  prototype.baseUrl = "https://evil.example";
  try {
    const fetch = async (/** @type {string} */ url) => {
      assert.equal(url, `${baseUrl}/image-to-3d-sessions/${code}`);
      return sessionResponse();
    };
    await getSession(code, { baseUrl, fetch, apiKey: `key-${CANARY}` });
    const error = await failure(getSession(code, /** @type {any} */ ({})));
    assert.match(error.message, /^Missing apiKey/);
  } finally {
    delete prototype.fetch;
    delete prototype.baseUrl;
  }
  assert.equal(polluted, 0);

  let reads = 0;
  await getSession(code, {
    get baseUrl() {
      return reads++ ? "https://evil.example" : baseUrl;
    },
    fetch: async (url) => {
      assert.ok(url.startsWith(baseUrl), url);
      return sessionResponse();
    },
  });
  assert.equal(reads, 1);

  const thrown = new Error("not today");
  const throwing = {
    baseUrl,
    /** @returns {never} */
    get timeout() {
      throw thrown;
    },
  };
  const error = await failure(getSession(code, throwing));
  assert.equal(error.message, 'Reading the option "timeout" threw: not today');
  assert.deepEqual([error.kind, error.cause], ["invalid_options", thrown]);
});

/** An image whose methods are replaced. */
const imageWith = (/** @type {object} */ methods) =>
  Object.assign(new Blob([png, new Uint8Array(2_000_000)]), methods);

/** A stream whose reader has these methods. */
const streamWith = (/** @type {object} */ reader) => ({
  stream: () => ({ getReader: () => reader }),
});

const never = () => {
  throw new Error("not today");
};

test("every call settles, whatever its image does", async () => {
  const chunk = (/** @type {number} */ size) => ({ done: false, value: new Uint8Array(size) });
  for (const hostile of [
    imageWith({ stream: never }),
    imageWith(streamWith({ read: never, cancel: never })),
    imageWith(streamWith({ read: async () => chunk(5_000_000), cancel: never })),
    imageWith(streamWith({ read: () => ({ then: never }), cancel: () => Promise.reject(1) })),
    imageWith(streamWith({ read: async () => "no object" })),
    imageWith(streamWith({ read: async () => ({ value: "no bytes" }) })),
    imageWith(streamWith({})),
    imageWith({ stream: () => new ReadableStream(), slice: never }),
    imageWith({
      stream: () => new ReadableStream(),
      slice: () => ({ arrayBuffer: () => Promise.reject() }),
    }),
    imageWith({
      stream: () => new ReadableStream(),
      slice: () => new Blob([new Uint8Array(9_000_000)]),
    }),
    { size: 9, stream: () => 5 },
    { size: 9, arrayBuffer: async () => "text" },
    { size: 9, arrayBuffer: async () => new ArrayBuffer(0) },
  ]) {
    const error = await failure(createSession({ image: /** @type {any} */ (hostile), baseUrl }));
    assert.deepEqual(
      [error.name, error.kind],
      ["ImageTo3dError", "unsupported_image"],
      error.stack,
    );
    assert.equal(error.sent, "no");
  }
});

test("every call settles, whatever its options and its responses do", async () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const options of [
    revoked,
    new Proxy({}, { ownKeys: never }),
    { baseUrl, signal: revoked },
    { baseUrl, headers: revoked },
    { baseUrl: revoked },
    { baseUrl, fetch: revoked },
    { baseUrl, signal: { aborted: false, addEventListener: never } },
    { baseUrl, apiKey: () => revoked },
  ]) {
    await failure(getSession(code, /** @type {any} */ (options)));
  }
  const read = new Response("{}");
  await read.text();
  const locked = new Response("{}");
  locked.body?.getReader();
  for (const response of [
    read,
    locked,
    revoked,
    new Response(new ReadableStream({ pull: (c) => c.error("no Error") })),
    new Response(new ReadableStream({ start: (c) => c.enqueue("no bytes") })),
    { status: 200, headers: { get: never }, text: never },
  ]) {
    const error = await failure(
      getSession(code, {
        baseUrl,
        maxRetries: 0,
        fetch: async () => /** @type {any} */ (response),
      }),
    );
    assert.equal(error.name, "ImageTo3dError", String(error));
  }
});

test("a detached buffer is named", async () => {
  const buffer = new ArrayBuffer(100);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  for (const image of [buffer, view]) {
    const error = await failure(createSession({ image, baseUrl }));
    assert.match(
      String(error),
      /^ImageTo3dError: image: (the ArrayBuffer is detached|the file is empty)/,
    );
  }
  const bytes = new Uint8Array(3_000_000);
  bytes.set(png);
  const onProgress = () => structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  const error = await failure(createSession({ image: bytes, baseUrl, onProgress }));
  assert.match(error.message, /the buffer was transferred/);
});

test("an uncaught error prints little more than its message", () => {
  const script = `import { getSession } from "./pkg/index.js"; await getSession("..", {});`;
  let stderr = "";
  try {
    execFileSync(process.execPath, ["--input-type=module", "--eval", script], { stdio: "pipe" });
  } catch (error) {
    stderr = String(/** @type {any} */ (error).stderr);
  }
  assert.match(stderr, /ImageTo3dError: Missing apiKey|ImageTo3dError: Invalid session_code/);
  assert.ok(stderr.length < 2500, `${stderr.length} characters`);
});
