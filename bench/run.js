// Measures, and writes what came out: `cargo xtask bench` starts it from the project's folder.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";

import { chart } from "./lib/chart.js";
import { markdown } from "./lib/report.js";

import * as firstCall from "./first-call.js";
import * as mainThread from "./main-thread.js";
import * as memory from "./memory.js";
import * as sculpting from "./sculpting.js";
import * as server from "./server.js";
import * as upload from "./upload.js";
import * as waiting from "./waiting.js";

const measurements = {
  upload,
  memory,
  "main-thread": mainThread,
  "first-call": firstCall,
  waiting,
  sculpting,
  server,
};

/** @typedef {typeof measurements} Measurements */
/** @typedef {{ [Name in keyof Measurements]?: Awaited<ReturnType<Measurements[Name]["measure"]>> }} Results */

/**
 * @typedef {object} Run
 * @property {string} command
 * @property {Record<string, string>} machine
 * @property {Record<string, string>} versions
 * @property {Results} results
 *
 * @typedef {object} Settings
 * @property {boolean} quick a look, and no more
 * @property {Record<string, string>} versions to be completed
 * @property {(what: string) => void} say
 */

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});
const { quick, only } = values;
const names = /** @type {(keyof Measurements)[]} */ (Object.keys(measurements));
if (only !== undefined && !names.some((name) => name === only)) {
  console.error(`--only: came ${only}, allowed: ${names.join(", ")}`);
  process.exit(2);
}

// A look is no record: it leaves what a full run has written alone.
const folder = quick ? "target/bench" : "bench";
mkdirSync("target/bench", { recursive: true });
const before = only ? written() : undefined;
/** @type {Run} */
const run = {
  command: `cargo xtask bench${quick ? " --quick" : ""}`,
  machine: {
    cores: `${cpus().length} × ${cpus()[0].model.trim()}`,
    memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
    system: `Linux ${release()}`,
  },
  versions: { ...before?.versions, "Node.js": process.version },
  results: before?.results ?? {},
};

const start = performance.now();
for (const name of names) {
  if (only !== undefined && name !== only) continue;
  const say = (/** @type {string} */ what) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.error(`· ${seconds.padStart(4)} s  ${name}: ${what}`);
  };
  const result = await measurements[name].measure({ quick, versions: run.versions, say });
  Object.assign(run.results, { [name]: result });
  // After each of them: what fails later takes nothing with it.
  write();
}
console.log(readFileSync(`${folder}/RESULTS.md`, "utf8"));
console.error(`${folder}/RESULTS.md, results.json and results.svg are written`);

function write() {
  const chapters = names.flatMap((name) => {
    const { title, note, tables } = measurements[name];
    const result = /** @type {any} */ (run.results[name]);
    return result ? [{ title, note, tables: tables(result) }] : [];
  });
  writeFileSync(`${folder}/results.json`, `${JSON.stringify(run, null, 1)}\n`);
  writeFileSync(`${folder}/RESULTS.md`, markdown(run, chapters));
  const drawing = chart(run.results);
  if (drawing) writeFileSync(`${folder}/results.svg`, drawing);
}

/**
 * What was measured before, where only a part is measured anew.
 *
 * @returns {Run | undefined}
 */
function written() {
  try {
    return JSON.parse(readFileSync(`${folder}/results.json`, "utf8"));
  } catch {
    return undefined;
  }
}
