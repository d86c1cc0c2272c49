// What the session of a consumer must be, and the table of all.

import assert from "node:assert/strict";
import { test } from "node:test";

import { server } from "../support/browsers.js";
import { png } from "./app/src/picture.js";
import { version } from "./folder.js";

/**
 * @typedef {ReturnType<typeof import("./folder.js").emitted>} Emitted
 * @typedef {{ name: string, tool: string, emitted?: Emitted, seconds: number, passed: boolean }} Row
 */

/** @type {Row[]} */
const rows = [];

/**
 * A consumer as a test, and a row of the table.
 *
 * @param {string} name
 * @param {string} tool a package, of which the version is shown, or a name with a version
 * @param {() => Promise<Emitted | void>} consume
 */
export function consumer(name, tool, consume) {
  test(name, { timeout: 600_000 }, async () => {
    const start = performance.now();
    const row = { name, tool: described(tool), emitted: undefined, seconds: 0, passed: false };
    rows.push(row);
    try {
      Object.assign(row, { emitted: await consume(), passed: true });
    } finally {
      row.seconds = (performance.now() - start) / 1000;
    }
  });
}

/** @param {string} tool */
const described = (tool) => (tool.includes(" ") ? tool : `${tool} ${version(tool)}`);

/**
 * The server has the session that the consumer says that it has made, and the very picture. Where
 * it has a sandbox, it made a model too.
 *
 * @param {any} result of the app
 * @param {{ sandbox?: string, at?: string }} [options] whether it has one, and the server's address
 */
export async function assertMade(result, { sandbox, at = server } = {}) {
  const { code, ...rest } = Object(result);
  assert.deepEqual(
    rest,
    {
      refused: "unsupported_image",
      creativity: "highest",
      stage: { ...rest.stage, stage: "spin", state: "running" },
      model: sandbox ? "glTF" : null,
    },
    typeof result === "string" ? result : undefined,
  );
  const answer = await fetch(`${at}/image-to-3d-sessions/${code}`);
  const { data } = /** @type {any} */ (await answer.json());
  assert.equal(data.session_code, code);
  const picture = await fetch(data.image_url);
  assert.deepEqual(new Uint8Array(await picture.arrayBuffer()), png());
}

/** Prints what was built and run. */
export function printTable() {
  const lines = [["consumer", "tool", "emitted bytes", "wasm", "sandbox", "seconds", "result"]];
  for (const { name, tool, emitted, seconds, passed } of rows) {
    const wasm =
      emitted && (emitted.files ? `${emitted.files} file` : `${emitted.inlined} inlined`);
    const bytes = emitted ? emitted.bytes.toLocaleString("en") : "–";
    const sandbox = emitted?.sandboxes ? `${emitted.sandboxes} inlined` : "–";
    const result = passed ? "made" : "FAILED";
    lines.push([name, tool, bytes, wasm ?? "–", sandbox, seconds.toFixed(1), result]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
  }
}
