// Compares the bytes that a page loads with the budgets in `bench/budgets.json`.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

const read = (/** @type {string} */ path) => readFileSync(path);
/** The size as a server sends it, in Node's best quality: 11. */
const brotli = (/** @type {string} */ path) => brotliCompressSync(read(path)).length;

test("the package is within its budgets", () => {
  // The name contains a hash of the content.
  const wasm = `pkg/wasm/${readdirSync("pkg/wasm").find((name) => /^csm_.*\.wasm$/.test(name))}`;
  // The files that the default entry imports. The build writes the list.
  const { inputs } = JSON.parse(readFileSync("target/files/index.json", "utf8"));
  const inlined = "pkg/wasm/inlined.js";
  const preparation = "pkg/wasm/prepare.js";
  const scripts = Object.keys(inputs).filter((path) => path !== inlined && path !== preparation);
  const javascript = scripts.reduce((sum, path) => sum + brotli(path), 0);
  const folder = "pkg/wasm/cutout";
  const cutout = (/** @type {string} */ ending) =>
    `${folder}/${readdirSync(folder).find((name) => name.endsWith(ending))}`;
  /** @type {Record<string, number>} */
  const sizes = {
    "wasm, raw": read(wasm).length,
    "wasm, brotli": brotli(wasm),
    "JavaScript, brotli": javascript,
    "wasm and JavaScript, brotli": brotli(wasm) + javascript,
    "wasm as inlined module, brotli": brotli(inlined),
    "prepare, brotli": brotli(preparation),
    "React hook, brotli": brotli("pkg/react.js"),
    "cut-out network, wasm, brotli": brotli(cutout(".wasm")),
    "cut-out network, weights, raw": read(cutout(".onnx")).length,
  };
  /** @type {Record<string, number>} */
  const budgets = JSON.parse(readFileSync("bench/budgets.json", "utf8"));
  assert.deepEqual(Object.keys(sizes), Object.keys(budgets));
  const over = [];
  for (const [what, size] of Object.entries(sizes)) {
    const budget = budgets[what];
    console.log(`${what.padEnd(32)} ${format(size)} of ${format(budget)} bytes`);
    if (size > budget) {
      over.push(`${what}: ${size} bytes, ${size - budget} more than its budget of ${budget}`);
    }
  }
  assert.equal(over.join("\n"), "");
});

/** @param {number} count */
const format = (count) => count.toLocaleString("en").padStart(8);
