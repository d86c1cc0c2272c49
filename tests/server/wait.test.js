// Waiting for a session, in both browsers, against a server on another origin.

import assert from "node:assert/strict";
import { test } from "node:test";

import { otherOrigin } from "../support/browsers.js";
import { describeInPages } from "../support/in-browsers.js";

const baseUrl = otherOrigin;

describeInPages("waitForSession", (page) => {
  test("keeps polling after network errors and responses with status 500", async () => {
    const { outcome, failed } = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({ image: helpers.image, baseUrl });
      let calls = 0;
      let failed = 0;
      const outcome = await helpers.outcome(
        library.waitForSession(session_code, {
          baseUrl,
          interval: 20,
          maxRetries: 0,
          fetch: (url, init) => {
            calls++;
            if (calls === 1 || calls > 8) return fetch(url, init);
            failed++;
            // A port without a server gives a real network error.
            return calls % 2
              ? fetch("http://127.0.0.1:20113/")
              : fetch(url, { ...init, headers: { "x-api-key": helpers.faultKey("500") } });
          },
        }),
      );
      return { outcome, failed };
    }, baseUrl);
    assert.equal(outcome.status, "preview_done");
    assert.equal(failed, 7);
  });

  test("rejects at once for a missing session, an unreachable server and invalid arguments", async () => {
    const outcomes = await page().evaluate(async (baseUrl) => {
      const wait = (/** @type {any} */ code, /** @type {object} */ options) =>
        helpers.outcome(library.waitForSession(code, { baseUrl, ...options }));
      return [
        await wait("SESSION_1_1", {}),
        await wait("SESSION_1_1", { baseUrl: "http://127.0.0.1:20113", maxRetries: 0 }),
        await wait("", {}),
        await wait(undefined, {}),
        await wait("SESSION_1_1", { until: "spin" }),
      ].map(({ kind, sent }) => `${kind} ${sent}`);
    }, baseUrl);
    assert.deepEqual(outcomes, [
      "not_found no",
      "network no",
      "invalid_options no",
      "invalid_options no",
      "invalid_options no",
    ]);
  });

  test("an abort ends all waits on its signal at once", async () => {
    const outcome = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({
        image: helpers.image,
        baseUrl,
        preview_mesh: "turbo",
      });
      const controller = new AbortController();
      let updates = 0;
      const wait = () =>
        helpers.outcome(
          library.waitForSession(session_code, {
            baseUrl,
            // The abort happens during the first pause.
            interval: 60_000,
            signal: controller.signal,
            onUpdate: () => void updates++,
          }),
        );
      const waits = [wait(), wait()];
      while (updates < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      const aborted = performance.now();
      controller.abort("enough");
      const threw = (await Promise.all(waits)).map(({ threw }) => threw);
      return { threw, took: performance.now() - aborted };
    }, baseUrl);
    assert.deepEqual(outcome.threw, ["enough", "enough"]);
    // The pauses last a minute.
    assert.ok(outcome.took < 30_000, `${outcome.took} ms`);
  });

  test("an abort ends a pending request", async () => {
    const threw = await page().evaluate(async (baseUrl) => {
      const controller = new AbortController();
      const outcome = await helpers.outcome(
        library.waitForSession("SESSION_1_1", {
          baseUrl,
          signal: controller.signal,
          apiKey: helpers.faultKey("stall"),
          fetch: (url, init) => {
            setTimeout(() => controller.abort(null), 50);
            return fetch(url, init);
          },
        }),
      );
      return outcome.threw;
    }, baseUrl);
    assert.equal(threw, null);
  });

  test("an exception in onUpdate ends the wait and its polling", async () => {
    const { threw, requestCount } = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({ image: helpers.image, baseUrl });
      const { requests, fetch } = helpers.recordRequests();
      const onUpdate = () => {
        throw "no more";
      };
      const options = { baseUrl, interval: 20, fetch, onUpdate };
      const { threw } = await helpers.outcome(library.waitForSession(session_code, options));
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { threw, requestCount: requests.length };
    }, baseUrl);
    assert.equal(threw, "no more");
    assert.equal(requestCount, 1);
  });

  test("calls onUpdate once for each change", async () => {
    const seen = await page().evaluate(async (baseUrl) => {
      /** @type {string[]} */
      const seen = [];
      await library.imageTo3d({
        image: helpers.image,
        baseUrl,
        interval: 5,
        onUpdate: ({ status, percent_done }) => void seen.push(`${status} ${percent_done}`),
      });
      return seen;
    }, baseUrl);
    assert.ok(seen.length >= 2);
    assert.deepEqual(seen, [...new Set(seen)]);
  });

  test("polls no more than once per timer in a throttled tab", async () => {
    const { shortGaps, status } = await page().evaluate(async (baseUrl) => {
      const { session_code } = await library.createSession({ image: helpers.image, baseUrl });
      const { requests, fetch } = helpers.recordRequests();
      // Browsers delay the timers of a hidden tab like this.
      const { setTimeout } = globalThis;
      globalThis.setTimeout = /** @type {any} */ (
        (/** @type {any} */ act, /** @type {number} */ ms) => setTimeout(act, Math.max(ms, 1000))
      );
      const { status } = await library.waitForSession(session_code, {
        baseUrl,
        interval: 20,
        fetch,
      });
      globalThis.setTimeout = setTimeout;
      const times = requests.map(({ at }) => at);
      const gaps = times.slice(1).map((at, index) => at - times[index]);
      return { shortGaps: gaps.filter((gap) => gap < 900).length, status };
    }, baseUrl);
    assert.equal(shortGaps, 0);
    assert.equal(status, "preview_done");
  });
});
