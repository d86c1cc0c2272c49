// Compares the server with an earlier build of it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startApi } from "./lib/api.js";
import { expectSuccess, load, pollNext, send } from "./lib/load.js";
import { memoryOf } from "./lib/processes.js";
import { formatNumber, formatSummary, shuffle, summarize } from "./lib/statistics.js";

/** @import { Agent } from "node:http" */
/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ operation: string, unit: string, before: Summary, after: Summary }} Row */

export const title = "Cost of the server's checks";

export const note =
  "This server, and the build before its limits for hostile callers and its store without sessions in memory. " +
  "Sessions per second over four keep-alive connections, in rounds that alternate between the builds. " +
  "The image has one pixel, so that the checks and the store are measured rather than the decoding. " +
  "Median (25th – 75th percentile). The memory is that of the process after the sessions have ended, " +
  "minus that before.";

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const body = JSON.stringify({ image_url: pixel });

/** No session that is created with this key has pending work. */
const endedAtOnce = { "x-api-key": "fault_spin-failed" };

/** @typedef {{ create: number[], poll: number[], memory: number[] }} Values */

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure({ quick, serverBaseline, log }) {
  if (serverBaseline === undefined) throw new Error("Missing --server-baseline");
  const seconds = quick ? 1 : 5;
  const rounds = quick ? 1 : 5;
  const builds = /** @type {const} */ ({ before: serverBaseline, after: undefined });
  const names = /** @type {const} */ (["before", "after"]);
  /** @type {Row[]} */
  const rows = [];
  for (const place of /** @type {const} */ (["in memory", "in a folder"])) {
    /** @type {Record<"before" | "after", Values>} */
    const values = {
      before: { create: [], poll: [], memory: [] },
      after: { create: [], poll: [], memory: [] },
    };
    for (let round = 0; round < rounds; round++) {
      for (const name of shuffle(names)) {
        const measured = await measureBuild(builds[name], place, seconds);
        values[name].create.push(measured.create);
        values[name].poll.push(measured.poll);
        values[name].memory.push(measured.memory);
      }
      log(`${place}, round ${round + 1}`);
    }
    const row = (/** @type {keyof Values} */ key, /** @type {string} */ unit) => ({
      operation: `${key}, ${place}`,
      unit,
      before: summarize(values.before[key]),
      after: summarize(values.after[key]),
    });
    rows.push(row("create", "per second"), row("poll", "per second"));
    rows.push(row("memory", "KB per ended session"));
  }
  return { rows };
}

/**
 * @param {string | undefined} program
 * @param {"in memory" | "in a folder"} place
 * @param {number} seconds
 */
async function measureBuild(program, place, seconds) {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const data = place === "in a folder" ? ["--data", join(folder, "data")] : [];
  const api = await startApi(["--queue", "100000", ...data], program);
  try {
    /** @type {string[]} */
    const codes = [];
    const url = `${api.origin}/image-to-3d-sessions`;
    const create = async (/** @type {Agent} */ agent) => {
      const text = await expectSuccess(send(agent, url, body, endedAtOnce));
      codes.push(JSON.parse(text).data.session_code);
    };
    await load(seconds / 5, create);
    const before = memoryOf(api.process, "VmRSS");
    const warm = codes.length;
    const creates = await load(seconds, create);
    const memory = (memoryOf(api.process, "VmRSS") - before) / (codes.length - warm);
    const polls = await load(seconds, pollNext(api.origin, codes));
    return { create: creates.perSecond, poll: polls.perSecond, memory: memory * 1000 };
  } finally {
    api.close();
    rmSync(folder, { recursive: true });
  }
}

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ rows }) {
  return [
    {
      head: ["operation", "unit", "before", "after", "after / before"],
      rows: rows.map(({ operation, unit, before, after }) => [
        operation,
        unit,
        formatSummary(before),
        formatSummary(after),
        formatNumber(after.median / before.median),
      ]),
    },
  ];
}
