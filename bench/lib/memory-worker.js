// Samples the memory of processes until it receives a message: see `watchMemoryGrowth`.

import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

import { sleep } from "./clock.js";

/** @type {number[]} */
const processes = workerData;

/** Returns the memory of all processes in kilobytes. */
function totalMemory() {
  let sum = 0;
  for (const id of processes) {
    try {
      const text = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      sum += Number(text.match(/^Pss:\s+(\d+) kB/m)?.[1] ?? 0);
    } catch {
      // The process has exited, or is a zombie.
    }
  }
  return sum;
}

let stopped = false;
parentPort?.once("message", () => (stopped = true));
const first = totalMemory();
let peak = first;
parentPort?.postMessage("started");
while (!stopped) {
  await sleep(10);
  peak = Math.max(peak, totalMemory());
}
parentPort?.postMessage(((peak - first) * 1024) / 1e6);
