// The progress of jobs at remote engines, as a caller of the library sees it. The engines are emulated by
// `crates/server/examples/emulators.rs`, which `cargo test` builds.

import assert from "node:assert/strict";
import { openAsBlob, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { createSession, waitForSession } from "../../pkg/index.js";
import { startProgram, waitForOutput } from "../support/programs.js";
import { startServer } from "../support/server.js";

const folder = mkdtempSync(join(tmpdir(), "progress-"));
/** @type {string} */
let baseUrl;

before(async () => {
  // A job takes four seconds.
  const [line] = await waitForOutput(
    startProgram("target/debug/examples/emulators", ["1"]),
    /^.+\n/,
  );
  const emulators = JSON.parse(line);
  const names = ["fal", "meshy", "tripo", "comfyui"];
  const tables = names.map((name) => {
    const { url, workflow } = emulators[name];
    const table = `[engines.${name}]\nurl = "${url}"\npoll = 0.05\n`;
    return workflow ? `${table}workflow = ${JSON.stringify(workflow)}\n` : table;
  });
  const config = join(folder, "config.toml");
  writeFileSync(config, tables.join(""));
  const { key } = emulators;
  const keys = { FAL_KEY: key, MESHY_API_KEY: key, TRIPO_API_KEY: key };
  const { address } = await startServer(["--config", config, "--speed", "100"], keys);
  baseUrl = address.replace(/\/$/, "");
});
after(() => rmSync(folder, { recursive: true }));

/**
 * Returns the distinct values, in their order.
 *
 * @template T
 * @param {T[]} values
 */
const distinct = (values) => [...new Set(values)];

for (const { engine, service, running, hasPercentage } of [
  { engine: "fal", service: "fal", running: "generating the model at fal" },
  {
    engine: "meshy",
    service: "Meshy",
    running: "generating the model at Meshy",
    hasPercentage: true,
  },
  {
    engine: "tripo",
    service: "Tripo",
    running: "generating the model at Tripo",
    hasPercentage: true,
  },
  { engine: "comfyui", service: "ComfyUI", running: "generating the model in ComfyUI" },
]) {
  test(`reports the progress of a job at ${engine} to onUpdate`, async () => {
    /** @type {{ percent: number, status: string | undefined }[]} */
    const updates = [];
    const { session_code: code } = await createSession({
      image: await openAsBlob("www/samples/turtle.webp"),
      extra: { engine },
      baseUrl,
    });
    // Each wait polls in growing intervals, which would miss a state: so none waits for long.
    const options = { baseUrl, interval: 50, timeout: 400 };
    /** @param {import("../../pkg/index.js").Session} session */
    const onUpdate = ({ percent_done: percent, engine_status: status }) => {
      updates.push({ percent: percent ?? 0, status });
    };
    let session;
    while (!session) {
      session = await waitForSession(code, { ...options, onUpdate }).catch((error) => {
        if (error.kind !== "timeout") throw error;
        return undefined;
      });
    }
    assert.equal(session.session_status, "complete");
    const statuses = distinct(updates.map(({ status }) => status));
    assert.ok(
      statuses.some((status) => status?.endsWith(`in ${service}'s queue`)),
      statuses.join(),
    );
    assert.ok(statuses.includes(running), statuses.join());
    const percents = distinct(updates.map(({ percent }) => percent));
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    const between = percents.filter((percent) => percent > 0 && percent < 100);
    assert.ok(between.length >= (hasPercentage ? 2 : 1), percents.join());
  });
}
