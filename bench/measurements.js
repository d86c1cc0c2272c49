// All measurements by name.

import * as cutout from "./cutout.js";
import * as firstCall from "./first-call.js";
import * as mainThread from "./main-thread.js";
import * as memory from "./memory.js";
import * as prepare from "./prepare.js";
import * as sculpting from "./sculpting.js";
import * as serverCost from "./server-cost.js";
import * as server from "./server.js";
import * as shapes from "./shapes.js";
import * as upload from "./upload.js";
import * as waiting from "./waiting.js";

export const measurements = {
  upload,
  memory,
  "main-thread": mainThread,
  "first-call": firstCall,
  prepare,
  waiting,
  sculpting,
  cutout,
  shapes,
  server,
  "server-cost": serverCost,
};

/** @typedef {typeof measurements} Measurements */
/** @typedef {{ [Name in keyof Measurements]?: Awaited<ReturnType<Measurements[Name]["measure"]>> }} Results */

/**
 * A run of the benchmark, as `results.json` stores it.
 *
 * @typedef {object} Run
 * @property {string} command
 * @property {Record<string, string>} machine
 * @property {Record<string, string>} versions
 * @property {Results} results
 */
