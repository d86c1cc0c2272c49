// What a page has to load, against the budgets in `bench/budgets.json`.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

const read = (/** @type {string} */ name) => readFileSync(`pkg/${name}`);
/** As a server sends it, in Node's best quality: 11. */
const brotli = (/** @type {string} */ name) => brotliCompressSync(read(name)).length;

/** What the default entry is made of, but for the wasm and its glue. */
const entries = [
  "index.js",
  "functions.js",
  "bytes.js",
  "load.js",
  "error.js",
  "panic.js",
  "stage.js",
];

test("the package is within its budgets", () => {
  // Its name changes with its content.
  const file = readdirSync("pkg/wasm").find((name) => name.endsWith(".wasm"));
  const wasm = brotli(`wasm/${file}`);
  const glue = brotli("wasm/csm_image_to_3d.js");
  let entry = 0;
  for (const name of entries) {
    entry += brotli(name);
  }
  /** @type {Record<string, number>} */
  const sizes = {
    "wasm, raw": read(`wasm/${file}`).length,
    "wasm, brotli": wasm,
    "JavaScript, brotli": glue + entry,
    "wasm and JavaScript, brotli": wasm + glue + entry,
    "wasm as inlined module, brotli": brotli("wasm/inlined.js"),
  };
  /** @type {Record<string, number>} */
  const budgets = JSON.parse(readFileSync("bench/budgets.json", "utf8"));
  assert.deepEqual(Object.keys(sizes), Object.keys(budgets));
  const over = [];
  for (const [what, size] of Object.entries(sizes)) {
    const budget = budgets[what];
    console.log(`${what.padEnd(32)} ${bytes(size)} of ${bytes(budget)} bytes`);
    if (size > budget) {
      over.push(`${what}: ${size} bytes, ${size - budget} more than its budget of ${budget}`);
    }
  }
  assert.equal(over.join("\n"), "");
});

/** @param {number} count */
const bytes = (count) => count.toLocaleString("en").padStart(8);
