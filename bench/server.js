// What the server bears.

import { readFileSync, statSync } from "node:fs";
import { Agent, request } from "node:http";

import { startApi } from "./lib/api.js";
import { megabytes as memoryOf } from "./lib/processes.js";
import { quantile, shown, spread, summary } from "./lib/statistics.js";
import { draw, parameters } from "./sculpting.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ what: string, perSecond: number, milliseconds: Summary, p99: number }} Row */

export const title = "The server";

export const note =
  "Requests over four kept connections, each sent when the one before it was answered, from a " +
  "program on the same machine, which takes its part of the cores. Creating includes decoding the " +
  "picture, a PNG of about 1 MB.";

const connections = 4;

/** Its PNG is about 1 MB. */
const megabyteWidth = 1024;

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  const seconds = settings.quick ? 2 : 10;
  const picture = draw(megabyteWidth);
  const create = JSON.stringify({ image_url: dataUri(picture) });
  const memory = await createAndPoll(create, seconds);
  settings.say("creates and polls");
  const busy = await pollWhileSculpting(settings.quick ? 1024 : 2048, seconds);
  settings.say("polls while four jobs sculpt");
  return {
    picture: { width: megabyteWidth, bytes: statSync(picture).size },
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
  // So slow that no session comes to its work.
  const api = await startApi(["--speed", "0.0001", "--queue", "100000", "--keep-mib", "8192"]);
  try {
    const before = memoryOf(api.process, "VmRSS");
    /** @type {string[]} */
    const codes = [];
    const creates = await load(seconds, async (agent) => {
      const answer = await ask(agent, `${api.origin}/image-to-3d-sessions`, body);
      codes.push(JSON.parse(answer).data.session_code);
    });
    const perSession = (memoryOf(api.process, "VmRSS") - before) / codes.length;
    const polls = await load(seconds, pollOf(api.origin, codes));
    return {
      perSession,
      rows: [
        { what: "creates", ...creates },
        { what: "polls", ...polls },
      ],
    };
  } finally {
    api.close();
  }
}

/**
 * @param {number} width of the pictures
 * @param {number} seconds
 */
async function pollWhileSculpting(width, seconds) {
  const api = await startApi(["--speed", "1000", "--jobs", "4"]);
  try {
    const image_url = dataUri(draw(width));
    /** @type {string[]} */
    const codes = [];
    // More than four jobs at any time, and so at the end.
    while (codes.length < 12 * (seconds > 5 ? 3 : 1)) {
      codes.push(await api.create({ ...parameters, image_url }));
    }
    const polls = await load(seconds, pollOf(api.origin, codes));
    const states = await Promise.all(codes.map((code) => api.session(code)));
    const done = states.filter(({ status }) => status === "preview_done").length;
    return {
      row: { what: "polls while four jobs sculpt", ...polls },
      sculpted: { width, done, left: codes.length - done },
    };
  } finally {
    api.close();
  }
}

/**
 * @param {string} origin
 * @param {string[]} codes
 */
function pollOf(origin, codes) {
  let next = 0;
  return (/** @type {Agent} */ agent) =>
    ask(agent, `${origin}/image-to-3d-sessions/${codes[next++ % codes.length]}`);
}

/**
 * Does a step again and again, on each connection.
 *
 * @param {number} seconds
 * @param {(agent: Agent) => Promise<unknown>} step
 * @returns {Promise<Omit<Row, "what">>}
 */
async function load(seconds, step) {
  /** @type {number[]} */
  const times = [];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (performance.now() - start < seconds * 1000) {
        const began = performance.now();
        await step(agent);
        times.push(performance.now() - began);
      }
      agent.destroy();
    }),
  );
  const perSecond = (times.length / (performance.now() - start)) * 1000;
  return { perSecond, milliseconds: summary(times), p99: quantile(times, 0.99) };
}

/**
 * @param {Agent} agent
 * @param {string} url
 * @param {string} [body] to be posted
 * @returns {Promise<string>}
 */
function ask(agent, url, body) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const headers = { "content-type": "application/json" };
    const sent = request(url, { agent, method, headers }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      const good = response.statusCode === 200 || response.statusCode === 201;
      if (good) resolve(text);
      else reject(new Error(`${method}: ${response.statusCode} ${text}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @param {string} file a PNG */
const dataUri = (file) => `data:image/png;base64,${readFileSync(file, "base64")}`;

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ picture, rows, sculpted, perSession }) {
  const kilobytes = shown(picture.bytes / 1000);
  return [
    {
      head: ["requests", "per second", "milliseconds", "99th percentile, ms"],
      rows: rows.map(({ what, perSecond, milliseconds, p99 }) => [
        what,
        shown(perSecond),
        spread(milliseconds),
        shown(p99),
      ]),
    },
    {
      caption: "What belongs to it",
      head: ["of", "what"],
      rows: [
        ["the picture created with", `${picture.width} × ${picture.width} pixels, ${kilobytes} KB`],
        [
          "the jobs",
          `${sculpted.width} × ${sculpted.width} pixels each; ${sculpted.done} done and ${sculpted.left} left at the end`,
        ],
        ["memory per open session", `${shown(perSession)} MB, the picture's file included`],
      ],
    },
  ];
}
