#!/usr/bin/env node
// The API on this machine, for those who run Node.js: `npx csm-image-to-3d`.

import { parseArgs } from "node:util";

import { publicFetch } from "./bin/fetch.js";
import { serve } from "./bin/server.js";
import { invalid } from "./message.js";

const help = `The Image-to-3D API on your own machine, for apps to be tried against: without a key, and
without anything that leaves this machine but the fetching of pictures at https: addresses.

Usage: npx csm-image-to-3d [--port N] [--speed N]

  --port N   the port on 127.0.0.1; 0 for any that is free [default: 8787]
  --speed N  how many times faster than a second per stage sessions go [default: 1]
  --help     prints this`;

/** A picture of one pixel. */
const picture =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNQmvkfAAKbAbtuSfydAAAAAElFTkSuQmCC";

/** @param {string} address */
const directions = (address) => `listening on ${address}

From an app:
  const session = await imageTo3d({ image, baseUrl: "${address}" });

From a terminal:
  curl ${address}/image-to-3d-sessions --header 'Content-Type: application/json' --data '{ "image_url": "${picture}" }'

Keys that make it fail: ${address}/sandbox/faults
Sessions are kept until it ends: Ctrl+C.`;

/** What the caller did wrong, in words. */
class Misuse extends Error {}

/** What was asked for; `undefined` where that is the help. */
function options() {
  const { port, speed, help } = flags();
  if (help) return undefined;
  if (!/^\d+$/.test(port) || Number(port) > 65535) {
    throw new Misuse(invalid("--port", port, "a whole number from 0 to 65535"));
  }
  if (!(Number(speed) > 0)) {
    throw new Misuse(invalid("--speed", speed, "a number greater than 0"));
  }
  return { port: Number(port), speed: Number(speed) };
}

function flags() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "8787" },
        speed: { type: "string", default: "1" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new Misuse(/** @type {Error} */ (error).message.split(". ")[0]);
  }
}

try {
  const asked = options();
  if (asked) {
    // With this the sandbox fetches the pictures that requests name.
    globalThis.fetch = publicFetch();
    const { address, close } = await serve(asked);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, close);
    console.log(directions(address));
  } else {
    console.log(help);
  }
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error.message);
  if (error instanceof Misuse) console.error("--help says what there is.");
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
