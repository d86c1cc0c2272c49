// Sending an image of 100 MB takes little memory, and does not block the page.

import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";

import { server, startChromium } from "../support/browsers.js";
import { defineMemorySize } from "../support/memory-size.js";

const folder = mkdtempSync(join(tmpdir(), "csm-image-to-3d-"));
const small = "www/samples/chelsea.png";
const large = join(folder, "large.png");

before(() => {
  // The sample with a private chunk of 100 MB, which decoders ignore.
  const png = readFileSync(small);
  const chunk = Buffer.alloc(100_000_000, "padding");
  const name = Buffer.from("paDd");
  const file = openSync(large, "w");
  const bigEndian = (/** @type {number} */ n) => Buffer.of(n >>> 24, n >>> 16, n >>> 8, n);
  const end = 8 + 25;
  const sum = crc32(chunk, crc32(name));
  for (const part of [png.subarray(0, end), bigEndian(chunk.length), name, chunk, bigEndian(sum)]) {
    writeSync(file, part);
  }
  writeSync(file, png.subarray(end));
  closeSync(file);
});
after(() => rmSync(folder, { recursive: true }));

test("sends an image of 100 MB in chunks, without growing the WebAssembly's heap or the page", async () => {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(server);
    // Not the demo page: it would decode the image for its thumbnail.
    await page.setContent('<input type="file" id="image">');
    await page.evaluate(() => {
      /** @type {number[]} */
      const longTasks = [];
      new PerformanceObserver((list) => {
        longTasks.push(...list.getEntries().map(({ duration }) => duration));
      }).observe({ type: "longtask" });
      Object.assign(globalThis, { longTasks });
    });
    await page.evaluate(defineMemorySize);
    const send = async (/** @type {string} */ path) => {
      await page.setInputFiles("#image", path);
      return page.evaluate(async () => {
        const { longTasks, memorySize } = /** @type {any} */ (globalThis);
        longTasks.length = 0;
        const { createSession } = await import("/pkg/index.js");
        const input = /** @type {HTMLInputElement} */ (document.getElementById("image"));
        const image = /** @type {FileList} */ (input.files)[0];
        const session = await createSession({ image, baseUrl: location.origin });
        await new Promise((resolve) => setTimeout(resolve, 200));
        return { code: session.session_code, heap: await memorySize(), longTasks };
      });
    };
    for (let round = 0; round < 3; round++) await send(small);
    const before = await send(small);

    const processes = await renderers(browser);
    for (const process of processes) writeFileSync(`/proc/${process}/clear_refs`, "5");
    const resident = processes.map((process) => kilobytes(process, "VmRSS"));
    const after = await send(large);
    const grown = processes.map((process, at) => kilobytes(process, "VmHWM") - resident[at]);
    const growth = Math.max(...grown) / 1024;

    console.log(
      `page's process: +${growth.toFixed(1)} MiB at its peak, WebAssembly heap ${after.heap} bytes, long tasks: ${after.longTasks}`,
    );
    assert.match(after.code, /^SESSION_/);
    assert.equal(after.heap, before.heap);
    // The whole image would take 95 MiB, and its base64 127 MiB. On a busy machine some chunks wait for
    // the browser's main process.
    assert.ok(growth < 64, `the page's process grew by ${growth} MiB`);
    // One task for the whole image would take most of a second. A busy machine slows down short tasks.
    const longest = Math.max(0, ...after.longTasks);
    assert.ok(longest < 600, `a task of ${longest} ms`);
  } finally {
    await browser.close();
  }
});

/**
 * Returns the ids of the page's process and of the spare ones, which are idle. DevTools does not tell
 * which one is the page's.
 *
 * @param {import("playwright-core").Browser} browser
 */
async function renderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/**
 * Reads a size in KiB from `/proc/<process>/status`.
 *
 * @param {number} process
 * @param {string} field
 */
function kilobytes(process, field) {
  const status = readFileSync(`/proc/${process}/status`, "utf8");
  return Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))?.[1]);
}
