// Defines the test of a consumer, checks its session, and prints a table of all consumers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { server } from "../support/browsers.js";
import { png } from "./app/src/image.js";
import { versionOf } from "./workspace.js";

/**
 * @typedef {ReturnType<typeof import("./workspace.js").measureBuild>} Build
 * @typedef {{ name: string, tool: string, build?: Build, seconds: number, passed: boolean }} Row
 */

/** @type {Row[]} */
const rows = [];

/**
 * Defines the test of a consumer, which adds a row to the table.
 *
 * @param {string} name
 * @param {string} tool a package, or a program's name with its version
 * @param {() => Promise<Build | void>} consume
 */
export function consumer(name, tool, consume) {
  test(name, { timeout: 600_000 }, async () => {
    const start = performance.now();
    const row = { name, tool: describeTool(tool), build: undefined, seconds: 0, passed: false };
    rows.push(row);
    try {
      Object.assign(row, { build: await consume(), passed: true });
    } finally {
      row.seconds = (performance.now() - start) / 1000;
    }
  });
}

/** @param {string} tool */
const describeTool = (tool) => (tool.includes(" ") ? tool : `${tool} ${versionOf(tool)}`);

/**
 * Asserts that the server has the session that the app created, with its image, and that an app with
 * a sandbox also created a model.
 *
 * @param {any} result of the app
 * @param {{ sandbox?: string, cutout?: string, baseUrl?: string }} [options] `sandbox`: set if the app
 *   uses one; `cutout`: how it has to cut out objects, if that is known
 */
export async function assertSession(result, { sandbox, cutout, baseUrl = server } = {}) {
  const { code, ...rest } = Object(result);
  assert.deepEqual(
    rest,
    {
      rejected: "unsupported_image",
      creativity: "highest",
      stage: { ...rest.stage, stage: "spins", state: "running" },
      model: sandbox ? { start: "glTF", cutout: cutout ?? rest.model?.cutout } : null,
    },
    typeof result === "string" ? result : undefined,
  );
  const response = await fetch(`${baseUrl}/image-to-3d-sessions/${code}`);
  const { data } = /** @type {any} */ (await response.json());
  assert.equal(data.session_code, code);
  const image = await fetch(data.image_url);
  assert.deepEqual(new Uint8Array(await image.arrayBuffer()), png());
}

/** Prints the table of consumers. */
export function printTable() {
  const lines = [["consumer", "tool", "bytes", "wasm", "sandbox", "seconds", "result"]];
  for (const { name, tool, build, seconds, passed } of rows) {
    const wasm = build && (build.files ? `${build.files} file` : `${build.inlined} inlined`);
    const bytes = build ? build.bytes.toLocaleString("en") : "–";
    const sandbox = build?.sandboxFiles
      ? `${build.sandboxFiles} file`
      : build?.sandboxes
        ? `${build.sandboxes} inlined`
        : "–";
    const result = passed ? "passed" : "FAILED";
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
