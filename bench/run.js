// Measures, and writes the results: `cargo xtask bench` starts it in the project's folder.
//
// `node bench/run.js --report-only` writes the report from `bench/results.json` without measuring.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";

import { invalid, oneOf } from "../pkg/message.js";
import { chart } from "./lib/chart.js";
import { markdown } from "./lib/report.js";
import { measurements } from "./measurements.js";

/** @import { Measurements, Run } from "./measurements.js" */

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    "report-only": { type: "boolean", default: false },
  },
});
const { quick, only, "report-only": reportOnly } = values;
const names = /** @type {(keyof Measurements)[]} */ (Object.keys(measurements));
if (only !== undefined && !names.some((name) => name === only)) {
  console.error(invalid("--only", only, oneOf(names)));
  process.exit(2);
}

// A quick run does not overwrite the results of a full run.
const folder = quick ? "target/bench" : "bench";
mkdirSync("target/bench", { recursive: true });
const previous = only || reportOnly ? readResults() : undefined;
if (reportOnly) {
  if (!previous) throw new Error(`Missing ${folder}/results.json: run \`cargo xtask bench\` first`);
  write(previous);
} else {
  await measure();
}
console.log(readFileSync(`${folder}/RESULTS.md`, "utf8"));
console.error(`Wrote RESULTS.md, results.json and results.svg to ${folder}/`);

async function measure() {
  /** @type {Run} */
  const run = {
    command: `cargo xtask bench${quick ? " --quick" : ""}`,
    machine: {
      cores: `${cpus().length} × ${cpus()[0].model.trim()}`,
      memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
      system: `Linux ${release()}`,
    },
    versions: { ...previous?.versions, "Node.js": process.version },
    results: previous?.results ?? {},
  };
  const start = performance.now();
  for (const name of names) {
    if (only !== undefined && name !== only) continue;
    const log = (/** @type {string} */ message) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      console.error(`· ${seconds.padStart(4)} s  ${name}: ${message}`);
    };
    const result = await measurements[name].measure({ quick, versions: run.versions, log });
    Object.assign(run.results, { [name]: result });
    // Written after each measurement, so that a later failure does not lose it.
    write(run);
  }
}

/** @param {Run} run */
function write(run) {
  const chapters = names.flatMap((name) => {
    const { title, note, tables } = measurements[name];
    const result = /** @type {any} */ (run.results[name]);
    return result ? [{ title, note, tables: tables(result) }] : [];
  });
  writeFileSync(`${folder}/results.json`, `${JSON.stringify(run, null, 1)}\n`);
  writeFileSync(`${folder}/RESULTS.md`, markdown(run, chapters));
  const svg = chart(run.results);
  if (svg) writeFileSync(`${folder}/results.svg`, svg);
}

/**
 * Reads the results of the previous run, if there is one.
 *
 * @returns {Run | undefined}
 */
function readResults() {
  try {
    return JSON.parse(readFileSync(`${folder}/results.json`, "utf8"));
  } catch {
    return undefined;
  }
}
