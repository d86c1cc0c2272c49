// Sums the processes' memory again and again: see `watchGrowth`.

import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

import { sleep } from "./clock.js";

/** @type {number[]} */
const processes = workerData;

/** In kilobytes. */
function together() {
  let sum = 0;
  for (const id of processes) {
    try {
      const text = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      sum += Number(text.match(/^Pss:\s+(\d+) kB/m)?.[1] ?? 0);
    } catch {
      // It has ended, or is a zombie.
    }
  }
  return sum;
}

let ended = false;
parentPort?.once("message", () => (ended = true));
const first = together();
let most = first;
parentPort?.postMessage("begun");
while (!ended) {
  await sleep(10);
  most = Math.max(most, together());
}
parentPort?.postMessage(((most - first) * 1024) / 1e6);
