// Waits that are begun and aborted leave nothing behind.

import assert from "node:assert/strict";
import { test } from "node:test";

import { server, startChromium } from "../support/browsers.js";

test("after a thousand aborted waits the page is as before", async () => {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${server}/favicon.svg`);
    const devtools = await page.context().newCDPSession(page);
    await page.evaluate(async () => {
      // @ts-expect-error served beside the page
      const library = await import("/pkg/index.js");
      const image = await (await fetch("/samples/turtle.webp")).blob();
      const baseUrl = location.origin;
      const { session_code } = await library.createSession({ image, baseUrl });
      const controller = new AbortController();
      const { signal } = controller;
      const count = { listeners: 0 };
      const { addEventListener, removeEventListener } = EventTarget.prototype;
      EventTarget.prototype.addEventListener = function (...args) {
        if (this instanceof AbortSignal) count.listeners++;
        return addEventListener.apply(this, args);
      };
      EventTarget.prototype.removeEventListener = function (...args) {
        if (this instanceof AbortSignal) count.listeners--;
        return removeEventListener.apply(this, args);
      };
      /** Two waits: one is aborted in its sleep, one ends by itself on a signal that outlives it. */
      const wait = async () => {
        const stop = new Error("enough");
        const onUpdate = () => {
          throw stop;
        };
        const own = new AbortController();
        const asleep = library.waitForSession(session_code, {
          baseUrl,
          until: "refine",
          signal: own.signal,
        });
        setTimeout(() => own.abort(stop), 5);
        const long = library.waitForSession(session_code, { baseUrl, signal, onUpdate });
        for (const ended of await Promise.allSettled([asleep, long])) {
          if (ended.status === "fulfilled" || ended.reason !== stop) throw ended;
        }
      };
      Object.assign(globalThis, { wait, count });
    });
    const waits = async (/** @type {number} */ times) => {
      const state = await page.evaluate(async (times) => {
        const { wait, count } = /** @type {any} */ (globalThis);
        for (let done = 0; done < times; done += 10) {
          await Promise.all(Array.from({ length: 10 }, wait));
        }
        // @ts-expect-error served beside the page
        const wasm = await import("/pkg/wasm/csm_image_to_3d.js");
        const { memory } = await wasm.default();
        return { listeners: count.listeners, wasm: memory.buffer.byteLength };
      }, times);
      for (let round = 0; round < 3; round++) await devtools.send("HeapProfiler.collectGarbage");
      const { usedSize } = await devtools.send("Runtime.getHeapUsage");
      return { ...state, heap: usedSize };
    };
    // The wasm's heap grows by its first calls, to where it stays.
    const first = await waits(100);
    const last = await waits(500);

    const grown = (last.heap - first.heap) / 1024;
    console.log(
      `listeners ${first.listeners} and ${last.listeners}, ` +
        `wasm heap ${first.wasm} and ${last.wasm} bytes, JavaScript heap ${grown.toFixed(0)} KiB more`,
    );
    assert.equal(last.listeners, 0);
    assert.equal(first.listeners, 0);
    // How many calls overlap differs from run to run: that may take one page more.
    assert.ok(last.wasm - first.wasm <= 64 * 1024, `${last.wasm - first.wasm} bytes of wasm heap`);
    assert.ok(grown < 1024, `${grown} KiB`);
  } finally {
    await browser.close();
  }
});
