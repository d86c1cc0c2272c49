// The HTTP server in front of the sandbox.

import { once } from "node:events";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";

import { createSandbox } from "../sandbox.js";
import { ImageTo3dError } from "../wasm/shared.js";

/** The largest request body, in bytes. Base64 makes an image a third larger. */
const BODY_LIMIT = 64 * 1024 * 1024;

/**
 * Serves the API on loopback.
 *
 * @param {{ port: number, speed: number }} options port 0 chooses a free one
 * @returns {Promise<{ address: string, close(): Promise<void> }>} `close` ends all requests and jobs
 * @throws {Error} if the port is not available
 */
export async function serve({ port, speed }) {
  const server = createServer();
  await listen(server, port);
  const bound = /** @type {import("node:net").AddressInfo} */ (server.address());
  const address = `http://127.0.0.1:${bound.port}`;
  // With a constant seed, a restarted server would use the same session codes again.
  const sandbox = createSandbox({ speed, seed: Date.now(), origin: address });

  server.on("request", async (request, response) => {
    const disconnected = new AbortController();
    response.on("close", () => disconnected.abort());
    try {
      const body = await readBody(request);
      const result = body ? await handle(request, body, disconnected.signal) : tooLarge();
      response.writeHead(result.status, [...result.headers].flat());
      await pipeline(result.body ?? [], response);
    } catch (error) {
      // Either a simulated fault, or the client has disconnected.
      response.destroy();
      if (error instanceof ImageTo3dError) console.error(error.message);
    }
  });

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {Blob} content
   * @param {AbortSignal} signal
   */
  function handle(
    { method = "GET", url, headers: { host = bound.address, ...headers } },
    content,
    signal,
  ) {
    const target = `http://${host}${url}`;
    if (!URL.canParse(target)) return new Response(null, { status: 400 });
    const body = /^(GET|HEAD)$/.test(method) ? undefined : content;
    // The only values that Node.js does not join are those of set-cookie, which no client sends.
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
    const reason = code === "EADDRINUSE" ? "already in use" : message;
    throw new Error(`Cannot listen on port ${port}: ${reason}. Choose another port with --port.`, {
      cause,
    });
  }
}

/**
 * Returns the whole body, or `undefined` if it exceeds the limit. Reads it to its end even then: a
 * client that is cut off while sending never sees the response.
 *
 * @param {import("node:http").IncomingMessage} request
 */
async function readBody(request) {
  /** @type {Buffer<ArrayBuffer>[]} */
  let chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
    else chunks = [];
  }
  return size <= BODY_LIMIT ? new Blob(chunks) : undefined;
}

function tooLarge() {
  const status = 413;
  const mib = BODY_LIMIT / (1024 * 1024);
  const message = `The request body is larger than ${BODY_LIMIT} bytes (${mib} MiB)`;
  const envelope = { error: "Payload Too Large", message, statusCode: status, data: null };
  const headers = { "access-control-allow-origin": "*", "cache-control": "no-store" };
  return Response.json(envelope, { status, headers });
}
