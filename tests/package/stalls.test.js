// Servers that do not respond, that respond with something else, or that ask for delays.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  createSession,
  downloadModel,
  getSession,
  requestRefine,
  waitForSession,
} from "../../pkg/index.js";
import {
  baseUrl,
  code,
  failure,
  fetchInTurn,
  image,
  sessionResponse,
} from "../support/fake-api.js";

/**
 * Runs a call with a clock that the test moves on, for at most `seconds`.
 *
 * @template T
 * @param {import("node:test").TestContext} context
 * @param {number} seconds
 * @param {() => Promise<T>} call
 * @param {number} [step] in seconds
 * @returns {Promise<{ outcome: PromiseSettledResult<T> | undefined, elapsed: number }>}
 */
async function withClock(context, seconds, call, step = 1) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {PromiseSettledResult<T> | undefined} */
  let outcome;
  void Promise.allSettled([call()]).then(([settled]) => (outcome = settled));
  let elapsed = 0;
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  for (await settle(); !outcome && elapsed < seconds; elapsed += step) {
    context.mock.timers.tick(step * 1000);
    await settle();
  }
  context.mock.timers.reset();
  return { outcome, elapsed };
}

// The first call loads the WebAssembly, which takes more turns than the clock above allows.
await getSession(code, { fetch: async () => sessionResponse() });

const processing = () => sessionResponse({ status: "training_preview" });

test("a wait continues after a poll that is never answered", async (context) => {
  const { requests, fetch } = fetchInTurn(
    processing(),
    /** @type {any} */ (undefined),
    sessionResponse(),
  );
  const { outcome, elapsed } = await withClock(context, 300, () =>
    waitForSession(code, { baseUrl, fetch }),
  );
  assert.equal(outcome?.status, "fulfilled", JSON.stringify(outcome));
  assert.equal(requests.length, 3);
  assert.ok(elapsed < 60, `${elapsed} s`);
});

test("a wait continues after a poll whose body stalls", async (context) => {
  const stalled = new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(5)) }));
  const { fetch } = fetchInTurn(processing(), stalled, sessionResponse());
  const { outcome } = await withClock(context, 300, () => waitForSession(code, { baseUrl, fetch }));
  assert.equal(outcome?.status, "fulfilled", JSON.stringify(outcome));
});

test("a download that stalls is repeated, and then fails", async (context) => {
  const session = { session_code: code, status: "preview_done", mesh_url_glb: `${baseUrl}/a.glb` };
  const { requests, fetch } = fetchInTurn();
  const { outcome } = await withClock(context, 300, () =>
    downloadModel(session, { baseUrl, fetch, maxRetries: 1 }),
  );
  assert.equal(outcome?.status, "rejected");
  const { kind, message } = outcome.reason;
  assert.equal(kind, "network");
  assert.match(
    message,
    /^Downloading the model from https:\/\/csm\.example failed: the server has sent/,
  );
  assert.equal(requests.length, 2);
});

test("a request for a mesh is repeated after a stall if that cannot cost twice", async (context) => {
  for (const [idempotencyKey, expected] of /** @type {const} */ ([
    ["order 7", 3],
    [undefined, 1],
  ])) {
    const { requests, fetch } = fetchInTurn();
    const { outcome } = await withClock(context, 700, () =>
      requestRefine(code, { baseUrl, fetch, idempotencyKey }),
    );
    assert.equal(outcome?.status, "rejected");
    assert.equal(requests.length, expected);
  }
});

test("an upload has no time limit but that of the call", async (context) => {
  const { requests, fetch } = fetchInTurn();
  const { outcome, elapsed } = await withClock(context, 700, () =>
    createSession({ image, baseUrl, fetch, idempotencyKey: "order 7" }),
  );
  assert.equal(outcome?.status === "rejected" && outcome.reason.kind, "timeout");
  assert.equal(requests.length, 1);
  assert.ok(elapsed >= 600, `${elapsed} s`);
});

test("Retry-After: 0 does not cause a flood of requests", async (context) => {
  for (const status of [503, 200]) {
    let requests = 0;
    const fetch = async () => {
      requests++;
      const headers = { "retry-after": "0" };
      return sessionResponse({ status: "training_preview" }, { status, headers });
    };
    const wait = () => waitForSession(code, { baseUrl, fetch, maxRetries: 100, interval: 5000 });
    await withClock(context, 5, wait, 0.01);
    assert.ok(requests <= 6, `${requests} requests in 5 s after status ${status}`);
  }
});

test("a longer Retry-After than five minutes ends the call", async () => {
  const headers = { "retry-after": "86400" };
  const { requests, fetch } = fetchInTurn(new Response("{}", { status: 429, headers }));
  const error = await failure(createSession({ image, baseUrl, fetch }));
  assert.deepEqual([error.kind, error.sent, error.retryAfter], ["rate_limited", "rejected", 86400]);
  assert.equal(requests.length, 1);
});

test("a wait survives the login page of a network, but not for ever", async (context) => {
  const login = () => new Response("<html>Welcome to the hotel", { status: 200 });
  const moved = () => new Response(null, { status: 302, headers: { location: "/login" } });
  const survived = fetchInTurn(processing(), login(), moved(), login(), sessionResponse());
  const { outcome } = await withClock(context, 300, () =>
    waitForSession(code, { baseUrl, fetch: survived.fetch }),
  );
  assert.equal(outcome?.status, "fulfilled", JSON.stringify(outcome));

  const ended = fetchInTurn(processing(), ...Array.from({ length: 50 }, login));
  const { outcome: last } = await withClock(context, 600, () =>
    waitForSession(code, { baseUrl, fetch: ended.fetch }),
  );
  assert.equal(last?.status === "rejected" && last.reason.kind, "api");
  assert.equal(ended.requests.length, 12);
});
