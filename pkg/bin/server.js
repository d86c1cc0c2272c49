// The HTTP server in front of the sandbox.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, STATUS_CODES } from "node:http";
import { pipeline } from "node:stream/promises";

import { createSandbox } from "../sandbox.js";
import { ImageTo3dError } from "../wasm/shared.js";
import { createAccess } from "./access.js";

/** @import { AccessOptions } from "./access.js" */

/** The largest request body, in bytes. Base64 makes an image a third larger. */
const BODY_LIMIT = 64 * 1024 * 1024;

/**
 * Serves the API on loopback.
 *
 * @param {{ port: number, speed: number } & AccessOptions} options port 0 chooses a free one
 * @returns {Promise<{ address: string, webPages: string, close(): Promise<void> }>} `webPages` says which
 *   pages may use the server; `close` ends all requests and jobs
 * @throws {Error} if the port is not available
 */
export async function serve({ port, speed, ...accessOptions }) {
  const access = createAccess(accessOptions);
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
      const refusal = access.check(request.method ?? "GET", request.headers);
      let result;
      if (refusal) result = errorResponse(refusal.status, refusal.message);
      else if (!body) result = tooLarge();
      else if (request.method === "GET" && request.url === "/openapi.json")
        result = await openApi();
      else result = await handle(request, body, disconnected.signal);
      setCors(result.headers, request.headers);
      response.writeHead(result.status, [...result.headers].flat());
      await pipeline(result.body ?? [], response);
    } catch (error) {
      // Either a simulated fault, or the client has disconnected.
      response.destroy();
      if (error instanceof ImageTo3dError) console.error(error.message);
    }
  });

  /**
   * Replaces the CORS headers of the sandbox, which all pages may use.
   *
   * @param {Headers} headers of the response
   * @param {import("node:http").IncomingHttpHeaders} received
   */
  function setCors(headers, received) {
    if (!access.isOriginAllowed(received)) headers.delete("access-control-allow-private-network");
    const origin = access.corsOrigin(received);
    if (origin === "*" || !headers.has("access-control-allow-origin")) return;
    headers.set("access-control-allow-origin", origin);
    headers.set("vary", "origin");
  }

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
    webPages: access.describe(),
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

/** Returns the description of the API, which has the same address on the native server. */
async function openApi() {
  const body = await readFile(new URL("../openapi.json", import.meta.url));
  return new Response(body, {
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "access-control-allow-origin": "*",
      "cache-control": "no-cache",
    },
  });
}

function tooLarge() {
  const mib = BODY_LIMIT / (1024 * 1024);
  return errorResponse(413, `The request body is larger than ${BODY_LIMIT} bytes (${mib} MiB)`);
}

/**
 * Returns an error in the API's envelope.
 *
 * @param {number} status
 * @param {string} message
 */
function errorResponse(status, message) {
  const error = STATUS_CODES[status];
  const body = JSON.stringify({ error, message, statusCode: status, data: null });
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "access-control-allow-origin": "*",
    "access-control-expose-headers":
      "retry-after, etag, accept-ranges, content-range, content-disposition, x-request-id",
    "cache-control": "no-store",
  };
  return new Response(body, { status, headers });
}
