// Retries and timeouts of create requests, in both browsers, against a server on another origin.

import assert from "node:assert/strict";
import { test } from "node:test";

import { otherOrigin } from "../support/browsers.js";
import { describeInPages } from "../support/in-browsers.js";
import { startServer } from "../support/server.js";

const baseUrl = otherOrigin;

describeInPages("retries of createSession", (page) => {
  test("does not retry after a dropped connection, and reports that a session may exist", async () => {
    for (const fault of ["drop-before", "drop-after", "drop-middle"]) {
      const { outcome, requests } = await page().evaluate(
        async ({ baseUrl, fault }) => {
          const { requests, fetch } = helpers.recordRequests();
          const apiKey = helpers.faultKey(fault);
          const options = { image: helpers.image, baseUrl, apiKey, fetch, maxRetries: 5 };
          return { outcome: await helpers.outcome(library.createSession(options)), requests };
        },
        { baseUrl, fault },
      );
      assert.deepEqual([fault, outcome.kind, outcome.sent], [fault, "network", "unknown"]);
      assert.equal(requests.length, 1);
    }
  });

  test("retries under an idempotency key, and creates one session", async () => {
    const order = `order ${Math.random()}`;
    const { address } = await startServer();
    const results = async (/** @type {string} */ path) =>
      (await (await fetch(`${address}${path}`)).json()).data.results;
    const { outcome, requests } = await page().evaluate(
      async ({ baseUrl, order }) => {
        const { image, faultKey } = helpers;
        const { requests, fetch } = helpers.recordRequests();
        const apiKey = faultKey("drop-after_2");
        const options = { image, baseUrl, apiKey, fetch, maxRetries: 5, idempotencyKey: order };
        return { outcome: await helpers.outcome(library.createSession(options)), requests };
      },
      { baseUrl: address, order },
    );
    assert.match(outcome.session?.session_code ?? outcome.message, /^SESSION_/);
    assert.ok(requests.length >= 2, `${requests.length} requests`);
    const log = await results("/sandbox/requests");
    const arrived = log.filter((/** @type {any} */ entry) => entry.idempotency_key === order);
    assert.ok(arrived.length >= 3, `${arrived.length} requests arrived`);
    const sessions = await results("/image-to-3d-sessions");
    assert.equal(sessions.length, 1);
  });

  test("waits for Retry-After, in seconds or as a date", async () => {
    const { times, waited } = await page().evaluate(async (baseUrl) => {
      const { image } = helpers;
      const afterSeconds = async () => {
        const { requests, fetch } = helpers.recordRequests();
        const apiKey = helpers.faultKey("429-after_3");
        await library.createSession({ image, baseUrl, apiKey, fetch, maxRetries: 3 });
        return requests.map(({ at }) => at);
      };
      const afterDate = async () => {
        const started = Date.now();
        let tries = 0;
        await library.createSession({
          image,
          baseUrl,
          fetch: async (url, init) => {
            if (tries++ > 0) return fetch(url, init);
            // HTTP dates have no milliseconds: this one is 2 to 3 s from now.
            const after = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000).toUTCString();
            return new Response("{}", { status: 429, headers: { "retry-after": after } });
          },
        });
        return Date.now() - started;
      };
      const [times, waited] = await Promise.all([afterSeconds(), afterDate()]);
      return { times, waited };
    }, baseUrl);
    assert.equal(times.length, 4);
    for (let attempt = 1; attempt < 4; attempt++) {
      const wait = times[attempt] - times[attempt - 1];
      assert.ok(wait >= 999 && wait < 10_000, `${wait} ms`);
    }
    assert.ok(waited >= 1900 && waited < 10_000, `${waited} ms`);
  });

  test("retries if CORS hides Retry-After", async () => {
    const outcome = await page().evaluate(
      (baseUrl) =>
        helpers.outcome(
          library.createSession({
            image: helpers.image,
            baseUrl,
            apiKey: helpers.faultKey("429-hidden_1"),
          }),
        ),
      baseUrl,
    );
    assert.equal(outcome.status, "spin_generate_processing");
  });

  test("times out if the server stalls", async () => {
    const outcome = await page().evaluate(
      (baseUrl) =>
        helpers.outcome(
          library.createSession({
            image: helpers.image,
            baseUrl,
            apiKey: helpers.faultKey("stall"),
            // Long enough for the request to be sent.
            timeout: 1000,
          }),
        ),
      baseUrl,
    );
    assert.deepEqual([outcome.kind, outcome.sent], ["timeout", "unknown"]);
  });
});
