// What the server bears.

import { readFileSync, statSync } from "node:fs";
import { Agent, request } from "node:http";

import { startApi } from "./lib/api.js";
import { sleep } from "./lib/clock.js";
import { megabytes as memoryOf } from "./lib/processes.js";
import { quantile, shown, spread, summary } from "./lib/statistics.js";
import { draw, parameters } from "./sculpting.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ what: string, perSecond: number, milliseconds: Summary, p99: number }} Row */

export const title = "The server";

export const note =
  "Requests over four kept connections, each sent when the one before it was answered, from a " +
  "program on the same machine, which takes its part of the cores. Creating includes decoding the " +
  "picture, a PNG of about 1 MB. While four jobs sculpt, sessions are created as fast as the server " +
  "takes them, so that it never runs out of work.";

const connections = 4;

/** Its PNG is about 1 MB. */
const megabyteWidth = 2048;

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
      const text = await good(ask(agent, `${api.origin}/image-to-3d-sessions`, body));
      codes.push(JSON.parse(text).data.session_code);
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
  const api = await startApi(["--speed", "1000", "--jobs", "4", "--queue", "8"]);
  try {
    const order = JSON.stringify({ ...parameters, image_url: dataUri(draw(width)) });
    /** @type {string[]} */
    const codes = [];
    let polling = true;
    // As many as the server takes, so that four are at work all the time.
    const feed = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (polling) {
        const { status, text } = await ask(agent, `${api.origin}/image-to-3d-sessions`, order);
        if (status === 429) await sleep(20);
        else codes.push(JSON.parse(text).data.session_code);
      }
      agent.destroy();
    };
    const fed = feed();
    while (codes.length < 8) await sleep(20);
    const started = codes.length;
    const polls = await load(seconds, pollOf(api.origin, codes));
    polling = false;
    await fed;
    const sculpted = (codes.length - started) / seconds;
    return {
      row: { what: "polls while four jobs sculpt", ...polls },
      sculpted: { width, perSecond: sculpted },
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
    good(ask(agent, `${origin}/image-to-3d-sessions/${codes[next++ % codes.length]}`));
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
 * @returns {Promise<{ status: number | undefined, text: string }>}
 */
function ask(agent, url, body) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const headers = { "content-type": "application/json" };
    const sent = request(url, { agent, method, headers }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode, text });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @param {ReturnType<typeof ask>} answer */
async function good(answer) {
  const { status, text } = await answer;
  if (status !== 200 && status !== 201) throw new Error(`${status} ${text}`);
  return text;
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
          `${sculpted.width} × ${sculpted.width} pixels each; ${shown(sculpted.perSecond)} done per second meanwhile`,
        ],
        ["memory per open session", `${shown(perSession)} MB, the picture's file included`],
      ],
    },
  ];
}
