// The sandbox over HTTP, as thin as can be.

import { once } from "node:events";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";

import { ImageTo3dError } from "../error.js";
import { createSandbox } from "../sandbox.js";

/** The largest request that is read, in bytes: a picture takes four thirds of its size. */
const BODY_LIMIT = 64 * 1024 * 1024;

/**
 * Serves the API on loopback.
 *
 * @param {{ port: number, speed: number }} options with port 0, on any that is free
 * @returns {Promise<{ address: string, close(): Promise<void> }>} `close` ends what is under way
 * @throws {Error} where the port cannot be had
 */
export async function serve({ port, speed }) {
  const server = createServer();
  await listen(server, port);
  const bound = /** @type {import("node:net").AddressInfo} */ (server.address());
  const address = `http://127.0.0.1:${bound.port}`;
  // Sessions of a server that is started again have other codes.
  const sandbox = createSandbox({ speed, seed: Date.now(), origin: address });

  server.on("request", async (request, response) => {
    const left = new AbortController();
    response.on("close", () => left.abort());
    try {
      const body = await read(request);
      const answer = body ? await ask(request, body, left.signal) : tooLarge();
      response.writeHead(answer.status, [...answer.headers].flat());
      await pipeline(answer.body ?? [], response);
    } catch (error) {
      // A connection that a key asked to break; a client that has gone.
      response.destroy();
      if (error instanceof ImageTo3dError) console.error(error.message);
    }
  });

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {Blob} sent
   * @param {AbortSignal} signal
   */
  function ask(
    { method = "GET", url, headers: { host = bound.address, ...headers } },
    sent,
    signal,
  ) {
    const target = `http://${host}${url}`;
    if (!URL.canParse(target)) return new Response(null, { status: 400 });
    const body = /^(GET|HEAD)$/.test(method) ? undefined : sent;
    // Node.js has joined the values of all names but one, which no client sends.
    const init = { method, headers: /** @type {Record<string, string>} */ (headers), body, signal };
    return sandbox.fetch(target, init);
  }

  return {
    address,
    async close() {
      server.close();
      server.closeAllConnections();
      await sandbox.reset();
    },
  };
}

/**
 * @param {import("node:http").Server} server
 * @param {number} port
 */
async function listen(server, port) {
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch (cause) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (cause);
    const why = code === "EADDRINUSE" ? "another server is running there" : message;
    throw new Error(`cannot listen on port ${port}: ${why}; --port takes another`, { cause });
  }
}

/**
 * The whole body, or `undefined` where it is larger than the limit. It is read to its end even
 * then: a client that is cut off while it sends never sees the answer.
 *
 * @param {import("node:http").IncomingMessage} request
 */
async function read(request) {
  /** @type {Buffer<ArrayBuffer>[]} */
  let pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size <= BODY_LIMIT) pieces.push(piece);
    else pieces = [];
  }
  return size <= BODY_LIMIT ? new Blob(pieces) : undefined;
}

function tooLarge() {
  const status = 413;
  const mib = BODY_LIMIT / (1024 * 1024);
  const message = `the request is larger than ${BODY_LIMIT} bytes (${mib} MiB)`;
  const envelope = { error: "Payload Too Large", message, statusCode: status, data: null };
  const headers = { "access-control-allow-origin": "*", "cache-control": "no-store" };
  return Response.json(envelope, { status, headers });
}
