// Measures the throughput of the server.

import { readFileSync, statSync } from "node:fs";
import { Agent } from "node:http";

import { startApi } from "./lib/api.js";
import { sleep } from "./lib/clock.js";
import { expectSuccess, load, pollNext, send } from "./lib/load.js";
import { memoryOf } from "./lib/processes.js";
import { formatNumber, formatSummary } from "./lib/statistics.js";
import { drawImage, parameters } from "./sculpting.js";

export const title = "Server";

export const note =
  "Requests over four keep-alive connections, one at a time on each, from a program on the same " +
  "machine that shares its cores. Creating a session includes decoding the image, a PNG of about 1 MB. " +
  "For the last row, sessions are created as fast as the server accepts them, so that four jobs always " +
  "run.";

/** The width of a square image whose PNG has about 1 MB. */
const imageWidth = 2048;

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const seconds = settings.quick ? 2 : 10;
  const image = drawImage(imageWidth);
  const create = JSON.stringify({ image_url: dataUri(image) });
  const memory = await createAndPoll(create, seconds);
  settings.log("create and poll");
  const busy = await pollWhileSculpting(settings.quick ? 1024 : 2048, seconds);
  settings.log("poll while four jobs run");
  return {
    image: { width: imageWidth, bytes: statSync(image).size },
    rows: [...memory.rows, busy.row],
    sculpted: busy.sculpted,
    perSession: memory.perSession,
  };
}

/**
 * @param {string} body
 * @param {number} seconds
 */
async function createAndPoll(body, seconds) {
  // At this speed no session starts a job during the measurement.
  const api = await startApi(["--speed", "0.0001", "--queue", "100000", "--keep-mib", "8192"]);
  try {
    const before = memoryOf(api.process, "VmRSS");
    /** @type {string[]} */
    const codes = [];
    const creates = await load(seconds, async (agent) => {
      const text = await expectSuccess(send(agent, `${api.origin}/image-to-3d-sessions`, body));
      codes.push(JSON.parse(text).data.session_code);
    });
    const perSession = (memoryOf(api.process, "VmRSS") - before) / codes.length;
    const polls = await load(seconds, pollNext(api.origin, codes));
    return {
      perSession,
      rows: [
        { operation: "create", ...creates },
        { operation: "poll", ...polls },
      ],
    };
  } finally {
    api.close();
  }
}

/**
 * @param {number} width of the images
 * @param {number} seconds
 */
async function pollWhileSculpting(width, seconds) {
  const api = await startApi(["--speed", "1000", "--jobs", "4", "--queue", "8"]);
  try {
    const body = JSON.stringify({ ...parameters, image_url: dataUri(drawImage(width)) });
    /** @type {string[]} */
    const codes = [];
    let polling = true;
    // Keeps the queue full, so that four jobs always run.
    const fillQueue = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (polling) {
        const { status, text } = await send(agent, `${api.origin}/image-to-3d-sessions`, body);
        if (status === 429) await sleep(20);
        else codes.push(JSON.parse(text).data.session_code);
      }
      agent.destroy();
    };
    const filling = fillQueue();
    while (codes.length < 8) await sleep(20);
    const started = codes.length;
    const polls = await load(seconds, pollNext(api.origin, codes));
    polling = false;
    await filling;
    const sculpted = (codes.length - started) / seconds;
    return {
      row: { operation: "poll while four jobs run", ...polls },
      sculpted: { width, perSecond: sculpted },
    };
  } finally {
    api.close();
  }
}

/** @param {string} file a PNG */
const dataUri = (file) => `data:image/png;base64,${readFileSync(file, "base64")}`;

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ image, rows, sculpted, perSession }) {
  const kilobytes = formatNumber(image.bytes / 1000);
  return [
    {
      head: ["operation", "per second", "milliseconds", "99th percentile, ms"],
      rows: rows.map(({ operation, perSecond, milliseconds, p99 }) => [
        operation,
        formatNumber(perSecond),
        formatSummary(milliseconds),
        formatNumber(p99),
      ]),
    },
    {
      caption: "Conditions and results",
      head: ["", ""],
      rows: [
        [
          "image of the created sessions",
          `${image.width} × ${image.width} pixels, ${kilobytes} KB`,
        ],
        [
          "jobs",
          `${sculpted.width} × ${sculpted.width} pixels each; ${formatNumber(sculpted.perSecond)} finished per second`,
        ],
        ["memory per open session", `${formatNumber(perSession)} MB, including the image file`],
      ],
    },
  ];
}
