// Measures, and writes the results: `cargo xtask bench` starts it in the project's folder.
//
// `node bench/run.js --report-only` writes the report from `bench/results.json` without measuring.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";

import { invalid, oneOf } from "../pkg/message.js";
import { chart } from "./lib/chart.js";
import { compare, comparisonTable } from "./lib/comparison.js";
import { comparisonMarkdown, markdown } from "./lib/report.js";
import { measurements } from "./measurements.js";

/** @import { Measurements, Run } from "./measurements.js" */

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    baseline: { type: "string" },
    "server-baseline": { type: "string" },
    "report-only": { type: "boolean", default: false },
  },
});
const { quick, only, baseline, "report-only": reportOnly } = values;
const serverBaseline = values["server-baseline"];
const names = /** @type {(keyof Measurements)[]} */ (Object.keys(measurements)).filter(
  (name) => baseline === undefined || "series" in measurements[name],
);
if (only !== undefined && !names.some((name) => name === only)) {
  console.error(invalid("--only", only, oneOf(names)));
  process.exit(2);
}
if (baseline !== undefined && !existsSync(`${baseline}/wasm`)) {
  console.error(invalid("--baseline", baseline, "the folder of a built package, such as pkg/"));
  process.exit(2);
}

// Only a full run of this build overwrites the results of the repository.
const folder = quick || baseline !== undefined ? "target/bench" : "bench";
const report = baseline === undefined ? "RESULTS.md" : "COMPARISON.md";
mkdirSync("target/bench", { recursive: true });
const stored = baseline === undefined ? readResults() : undefined;
const previous = only || reportOnly ? stored : undefined;
if (reportOnly) {
  if (!previous) throw new Error(`Missing ${folder}/results.json: run \`cargo xtask bench\` first`);
  write(previous);
} else {
  await measure();
}
console.log(readFileSync(`${folder}/${report}`, "utf8"));
console.error(`Wrote ${report} to ${folder}/`);

async function measure() {
  /** @type {Run} */
  const run = {
    command: [
      "cargo xtask bench",
      ...(quick ? ["--quick"] : []),
      ...(baseline === undefined ? [] : [`--baseline ${baseline}`]),
    ].join(" "),
    machine: {
      cores: `${cpus().length} × ${cpus()[0].model.trim()}`,
      memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
      system: `Linux ${release()}`,
    },
    versions: { ...previous?.versions, "Node.js": process.version },
    // Needs another build of the server, which a later run may not have.
    results: previous?.results ?? { "server-cost": stored?.results["server-cost"] },
  };
  const start = performance.now();
  for (const name of names) {
    if (only !== undefined && name !== only) continue;
    if (name === "server-cost" && serverBaseline === undefined) continue;
    const log = (/** @type {string} */ message) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      console.error(`· ${seconds.padStart(4)} s  ${name}: ${message}`);
    };
    const settings = { quick, baseline, serverBaseline, versions: run.versions, log };
    const result = await measurements[name].measure(settings);
    Object.assign(run.results, { [name]: result });
    // Written after each measurement, so that a later failure does not lose it.
    if (baseline === undefined) write(run);
    else writeComparison(run, baseline);
  }
}

/** @param {Run} run */
function write(run) {
  const chapters = names.flatMap((name) => {
    const { title, note, tables } = measurements[name];
    const result = /** @type {any} */ (run.results[name]);
    return result ? [{ title, note, tables: tables(result) }] : [];
  });
  // The values of single runs would make up most of the file.
  const withoutValues = (/** @type {string} */ key, /** @type {unknown} */ value) =>
    key === "values" ? undefined : value;
  writeFileSync(`${folder}/results.json`, `${JSON.stringify(run, withoutValues, 1)}\n`);
  writeFileSync(`${folder}/RESULTS.md`, markdown(run, chapters));
  const svg = chart(run.results);
  if (svg) writeFileSync(`${folder}/results.svg`, svg);
}

/**
 * @param {Run} run
 * @param {string} baseline
 */
function writeComparison(run, baseline) {
  const series = names.flatMap((name) => {
    const measurement = measurements[name];
    const result = /** @type {any} */ (run.results[name]);
    return result && "series" in measurement ? measurement.series(result) : [];
  });
  const comparisons = compare(series);
  const text = comparisonMarkdown(run, baseline, comparisonTable(comparisons));
  writeFileSync(
    `${folder}/comparison.json`,
    `${JSON.stringify({ ...run, comparisons }, null, 1)}\n`,
  );
  writeFileSync(`${folder}/COMPARISON.md`, text);
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
