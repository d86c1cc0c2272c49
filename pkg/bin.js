#!/usr/bin/env node
// Serves the API on this machine, with Node.js alone: `npx csm-image-to-3d`.

import { parseArgs } from "node:util";

import { parseHostName, parseOrigin } from "./bin/access.js";
import { publicFetch } from "./bin/fetch.js";
import { findNativeServer, reasonForNoNativeServer, runNativeServer } from "./bin/native.js";
import { serve } from "./bin/server.js";
import { invalid } from "./message.js";

const help = `Serves the Image-to-3D API on this machine, to test apps against. It needs no API key, and sends
nothing to the internet, except to download images given by an https: URL. This is the WebAssembly server.
The native one also has the demo page, remote engines and storage.

Usage: npx csm-image-to-3d [--port N] [--speed N] [--origin URL] [--host-name NAME]

  --port N          port on 127.0.0.1; 0 chooses a free one [default: 8787]
  --speed N         makes sessions this many times faster; at 1 each stage takes a second [default: 1]
  --origin URL      lets web pages of this origin use the server, beside those of localhost; * for all.
                    Repeatable
  --host-name NAME  host name under which the server can be reached, beside localhost and IP addresses.
                    Repeatable
  --wasm            runs this server where the native one is installed, too
  --help            prints this help`;

const flags = process.argv.slice(2);
const native = findNativeServer();

/** An image of one pixel. */
const image =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNQmvkfAAKbAbtuSfydAAAAAElFTkSuQmCC";

/**
 * @param {string} address
 * @param {string} webPages
 */
const instructions = (address, webPages) => `listening on ${address}
${webPages}

From an app:
  const session = await imageTo3d({ image, baseUrl: "${address}" });

From a terminal:
  curl ${address}/image-to-3d-sessions --header 'Content-Type: application/json' --data '{ "image_url": "${image}" }'

API keys that simulate failures: ${address}/sandbox/faults
To stop the server and delete its sessions, press Ctrl+C.`;

/** Says what is missing where the native server is not installed. */
const missing = () => `
This is the WebAssembly server: it has no demo page, remote engines or storage.
${reasonForNoNativeServer()}`;

/** An invalid command line. */
class UsageError extends Error {}

/** Returns the options, or `undefined` if the user wants the help. */
function readOptions() {
  const { port, speed, origin, "host-name": hostName, help } = parseFlags();
  if (help) return undefined;
  if (!/^\d+$/.test(port) || Number(port) > 65535) {
    throw new UsageError(invalid("--port", port, "a whole number from 0 to 65535"));
  }
  if (!(Number(speed) > 0)) {
    throw new UsageError(invalid("--speed", speed, "a number greater than 0"));
  }
  const origins = origin.map((text) =>
    checked(
      "--origin",
      text,
      parseOrigin,
      'an origin such as "https://shop.example", or "*" for all',
    ),
  );
  const hostNames = hostName.map((text) =>
    checked(
      "--host-name",
      text,
      parseHostName,
      'a name such as "models.example", without scheme and port',
    ),
  );
  return { port: Number(port), speed: Number(speed), origins, hostNames };
}

/**
 * Returns the parsed value of a flag.
 *
 * @param {string} flag
 * @param {string} text
 * @param {(text: string) => string | undefined} parse
 * @param {string} expected
 */
function checked(flag, text, parse, expected) {
  const value = parse(text);
  if (value === undefined) throw new UsageError(invalid(flag, text, expected));
  return value;
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "8787" },
        speed: { type: "string", default: "1" },
        origin: { type: "string", multiple: true, default: [] },
        "host-name": { type: "string", multiple: true, default: [] },
        wasm: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    // Node.js appends advice about positional arguments.
    const [message] = /** @type {Error} */ (error).message.split(". ");
    const hint = native ? "It runs without --wasm." : reasonForNoNativeServer();
    throw new UsageError(`${message}. The native server has more options. ${hint}`);
  }
}

/** Serves the API with the WebAssembly of the sandbox. */
async function serveWithWebAssembly() {
  const options = readOptions();
  if (!options) return console.log(help);
  // The sandbox downloads images with the global `fetch`.
  globalThis.fetch = publicFetch();
  const { address, webPages, close } = await serve(options);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, close);
  console.log(instructions(address, webPages));
  if (!native) console.log(missing());
}

try {
  if (native && !flags.includes("--wasm")) process.exitCode = await runNativeServer(native, flags);
  else await serveWithWebAssembly();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error.message);
  if (error instanceof UsageError) console.error("Run with --help for usage.");
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
