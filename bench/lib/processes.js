// What the operating system says of a browser's processes.

import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

/**
 * A process and all that it started.
 *
 * @param {number} main
 */
export function family(main) {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ id: Number(name), parent: Number(stat(Number(name))?.[1]) }));
  const all = [main];
  // Grows while it is walked.
  for (const id of all) all.push(...parents.filter((one) => one.parent === id).map(({ id }) => id));
  return all;
}

/**
 * Chromium's processes for pages: there is one in reserve beside the page's own.
 *
 * @param {number} main
 */
export const pageProcesses = (main) =>
  family(main).filter((id) => read(id, "cmdline").includes("--type=renderer"));

/**
 * How long a process has worked, in ticks of the machine.
 *
 * @param {number} id
 */
export function worked(id) {
  const fields = stat(id) ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/**
 * @param {number} id
 * @param {"VmRSS" | "VmHWM"} field
 * @returns in megabytes
 */
export function megabytes(id, field) {
  const line = read(id, "status").match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"));
  return (Number(line?.[1]) * 1024) / 1e6;
}

/**
 * Forgets the peak that `VmHWM` tells.
 *
 * @param {number} id
 */
export const forgetPeak = (id) => writeFileSync(`/proc/${id}/clear_refs`, "5");

/**
 * Watches the memory of a process and all that it started, what several share divided among them.
 *
 * @param {number} main
 * @returns once it is begun what ends it, and says how far the peak was above the beginning, in
 *   megabytes
 */
export async function watchGrowth(main) {
  // In a thread, since this one has bodies to receive.
  const worker = new Worker(new URL("./growth-worker.js", import.meta.url), {
    workerData: family(main),
  });
  await once(worker, "message");
  return async () => {
    const growth = once(worker, "message");
    worker.postMessage("end");
    return /** @type {number} */ ((await growth)[0]);
  };
}

/**
 * The fields after the program's name: state, parent, …
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
    // It has ended.
    return "";
  }
}
