// Calls leak no memory and no listeners.

import assert from "node:assert/strict";
import { test } from "node:test";

import { server, startChromium } from "../support/browsers.js";
import { defineMemorySize } from "../support/memory-size.js";

test("aborted waits leak no listeners, no memory of the WebAssembly and no objects", async () => {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${server}/favicon.svg`);
    const devtools = await page.context().newCDPSession(page);
    await page.evaluate(async () => {
      const library = await import("/pkg/index.js");
      const image = await (await fetch("/samples/turtle.webp")).blob();
      const baseUrl = location.origin;
      const { session_code } = await library.createSession({ image, baseUrl });
      const controller = new AbortController();
      const { signal } = controller;
      const counts = { listeners: 0 };
      const { addEventListener, removeEventListener } = EventTarget.prototype;
      EventTarget.prototype.addEventListener = function (...args) {
        if (this instanceof AbortSignal) counts.listeners++;
        return addEventListener.apply(this, args);
      };
      EventTarget.prototype.removeEventListener = function (...args) {
        if (this instanceof AbortSignal) counts.listeners--;
        return removeEventListener.apply(this, args);
      };
      /** Two waits: one is aborted while it pauses, and one fails before its signal is aborted. */
      const waitTwice = async () => {
        const stop = new Error("enough");
        const onUpdate = () => {
          throw stop;
        };
        const own = new AbortController();
        const paused = library.waitForSession(session_code, {
          baseUrl,
          until: "refine",
          signal: own.signal,
        });
        setTimeout(() => own.abort(stop), 5);
        const failing = library.waitForSession(session_code, { baseUrl, signal, onUpdate });
        for (const result of await Promise.allSettled([paused, failing])) {
          if (result.status === "fulfilled" || result.reason !== stop) throw result;
        }
      };
      Object.assign(globalThis, { waitTwice, counts });
    });
    await page.evaluate(defineMemorySize);
    const runWaits = async (/** @type {number} */ times) => {
      const state = await page.evaluate(async (times) => {
        const { waitTwice, counts, memorySize } = /** @type {any} */ (globalThis);
        for (let done = 0; done < times; done += 10) {
          await Promise.all(Array.from({ length: 10 }, waitTwice));
        }
        return { listeners: counts.listeners, wasm: await memorySize() };
      }, times);
      for (let round = 0; round < 3; round++) await devtools.send("HeapProfiler.collectGarbage");
      const { usedSize } = await devtools.send("Runtime.getHeapUsage");
      return { ...state, heap: usedSize };
    };
    // The first calls let the WebAssembly's heap grow to its final size.
    const first = await runWaits(100);
    const last = await runWaits(500);

    const grown = (last.heap - first.heap) / 1024;
    console.log(
      `listeners ${first.listeners} and ${last.listeners}, ` +
        `WebAssembly heap ${first.wasm} and ${last.wasm} bytes, JavaScript heap ${grown.toFixed(0)} KiB more`,
    );
    assert.equal(last.listeners, 0);
    assert.equal(first.listeners, 0);
    // The number of calls that overlap varies, and may take one page (64 KiB) more.
    assert.ok(
      last.wasm - first.wasm <= 64 * 1024,
      `${last.wasm - first.wasm} bytes of WebAssembly heap`,
    );
    assert.ok(grown < 1024, `${grown} KiB`);
  } finally {
    await browser.close();
  }
});

test("20,000 calls leak at most 20 bytes each", async () => {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${server}/favicon.svg`);
    const devtools = await page.context().newCDPSession(page);
    await page.evaluate(defineMemorySize);
    const runCalls = async (/** @type {number} */ calls) => {
      const wasm = await page.evaluate(async (calls) => {
        const { getSession } = await import("/pkg/index.js");
        const { signal } = new AbortController();
        const body = JSON.stringify({ data: { session_code: "SESSION_1_1", status: "queued" } });
        const fetch = async () => new Response(body);
        for (let done = 0; done < calls; done++) {
          await getSession("SESSION_1_1", { baseUrl: location.origin, fetch, signal });
        }
        return /** @type {any} */ (globalThis).memorySize();
      }, calls);
      for (let round = 0; round < 3; round++) await devtools.send("HeapProfiler.collectGarbage");
      const { usedSize } = await devtools.send("Runtime.getHeapUsage");
      return { wasm, heap: usedSize };
    };
    const first = await runCalls(2000);
    const last = await runCalls(20_000);
    const grown = (last.heap - first.heap) / 20_000;
    console.log(`${grown.toFixed(1)} bytes of the JavaScript heap for each call`);
    assert.equal(last.wasm, first.wasm);
    assert.ok(grown <= 20, `${grown} bytes for each call`);
  } finally {
    await browser.close();
  }
});
