// Turns the API's responses into those of `fetch`, with the simulated network faults.

/** @import { ApiResponse } from "./worker.js" */

/** Headers that a page of another origin may always read: those that are CORS-safelisted. */
const SAFELISTED = /^(cache-control|content-(language|length|type)|expires|last-modified|pragma)$/;

/** Responses with these statuses, 204 No Content and 304 Not Modified, have no content-length. */
const WITHOUT_LENGTH = [204, 304];

/**
 * Returns the response of `fetch`. The promise stays pending if the fault is a server that does not
 * respond.
 *
 * @param {ApiResponse} response
 * @param {AbortSignal} signal aborts a body that is delivered in chunks
 * @param {"page" | "server"} reader a page can read only the headers that CORS lets it read
 * @returns {Promise<Response>}
 * @throws {TypeError} if the fault is a dropped connection, or if CORS forbids the page to read the
 *   response
 */
export async function toResponse(response, signal, reader) {
  const { status, headers, body, delivery } = response;
  if (delivery === "stall") {
    return new Promise(() => {});
  }
  if (delivery === "drop") {
    throw droppedConnection();
  }
  const all = toHeaders(headers);
  // The response to a HEAD request has one already.
  if (!WITHOUT_LENGTH.includes(status) && !all.has("content-length")) {
    all.set("content-length", String(body.length));
  }
  const readable = reader === "page" ? filterByCors(all) : all;
  const isEmpty = body.length === 0;
  return new Response(isEmpty ? null : toBody(response, signal), {
    status,
    headers: readable,
  });
}

/**
 * Returns the headers that a page of another origin can read.
 *
 * @param {Headers} all
 * @throws {TypeError} if the response does not allow such a page
 */
function filterByCors(all) {
  if (!all.has("access-control-allow-origin")) {
    throw new TypeError("Failed to fetch: the response has no Access-Control-Allow-Origin header");
  }
  const exposed = all.get("access-control-expose-headers")?.split(/, */) ?? [];
  const readable = new Headers();
  for (const [name, value] of all) {
    if (SAFELISTED.test(name) || exposed.includes(name)) readable.set(name, value);
  }
  return readable;
}

/** @param {string[]} pairs alternating names and values */
function toHeaders(pairs) {
  const headers = new Headers();
  for (let at = 0; at < pairs.length; at += 2) headers.append(pairs[at], pairs[at + 1]);
  return headers;
}

const droppedConnection = () =>
  new TypeError("Failed to fetch: the connection was dropped (a simulated fault)");

/**
 * @param {ApiResponse} response
 * @param {AbortSignal} signal
 */
function toBody({ body, chunkPlan }, signal) {
  if (!chunkPlan) return body;
  const [chunkSize, length, pause] = chunkPlan;
  /** @type {(Uint8Array<ArrayBuffer> | Error)[]} */
  const chunks = [];
  for (let start = 0; start < length; start += chunkSize) {
    chunks.push(body.subarray(start, Math.min(start + chunkSize, length)));
  }
  if (length < body.length) chunks.push(droppedConnection());
  return pacedStream(chunks, pause, signal);
}

/**
 * Returns a stream of the chunks with a pause between them. An `Error` in place of a chunk breaks
 * the stream.
 *
 * @param {(Uint8Array<ArrayBuffer> | Error)[]} chunks
 * @param {number} pause in milliseconds
 * @param {AbortSignal} signal
 */
function pacedStream(chunks, pause, signal) {
  let next = 0;
  let abort = () => {};
  const settle = () => signal.removeEventListener("abort", abort);
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const stream = new ReadableStream({
    start(controller) {
      abort = () => controller.error(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
    },
    async pull(controller) {
      if (next > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted) return;
      const chunk = chunks[next++];
      if (chunk instanceof Uint8Array) return controller.enqueue(chunk);
      settle();
      if (chunk) controller.error(chunk);
      else controller.close();
    },
    cancel: settle,
  });
  return stream;
}
