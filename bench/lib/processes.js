// Reads the processes of a browser from `/proc`.

import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

/**
 * Returns a process and all of its descendants.
 *
 * @param {number} main
 */
export function processTree(main) {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ id: Number(name), parent: Number(stat(Number(name))?.[1]) }));
  const all = [main];
  // The array grows during the iteration.
  for (const id of all)
    all.push(...parents.filter(({ parent }) => parent === id).map(({ id }) => id));
  return all;
}

/**
 * Returns Chromium's renderer processes: the page's own and a spare one.
 *
 * @param {number} main
 */
export const pageProcesses = (main) =>
  processTree(main).filter((id) => read(id, "cmdline").includes("--type=renderer"));

/**
 * Returns the CPU time of a process in clock ticks.
 *
 * @param {number} id
 */
export function cpuTicks(id) {
  const fields = stat(id) ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/**
 * Returns the current (`VmRSS`) or peak (`VmHWM`) memory of a process in megabytes.
 *
 * @param {number} id
 * @param {"VmRSS" | "VmHWM"} field
 */
export function memoryOf(id, field) {
  const line = read(id, "status").match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"));
  return (Number(line?.[1]) * 1024) / 1e6;
}

/**
 * Resets the peak memory (`VmHWM`) of a process.
 *
 * @param {number} id
 */
export const resetPeak = (id) => writeFileSync(`/proc/${id}/clear_refs`, "5");

/**
 * Starts to sample the memory of a process and its descendants (`Pss`: shared memory is divided among
 * the processes that share it).
 *
 * @param {number} main
 * @returns a function that stops and returns the difference between peak and start in megabytes
 */
export async function watchMemoryGrowth(main) {
  // In a thread of its own, because reading `smaps_rollup` blocks, and this one serves the page.
  const worker = new Worker(new URL("./memory-worker.js", import.meta.url), {
    workerData: processTree(main),
  });
  await once(worker, "message");
  return async () => {
    const growth = once(worker, "message");
    worker.postMessage("stop");
    return /** @type {number} */ ((await growth)[0]);
  };
}

/**
 * Returns the fields of `stat` after the program's name: state, parent, …
 *
 * @param {number} id
 */
function stat(id) {
  const text = read(id, "stat");
  return text ? text.slice(text.lastIndexOf(")") + 2).split(" ") : undefined;
}

/**
 * @param {number} id
 * @param {string} file
 */
function read(id, file) {
  try {
    return readFileSync(`/proc/${id}/${file}`, "utf8");
  } catch {
    // The process has exited.
    return "";
  }
}
