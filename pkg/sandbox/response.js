// The sandbox's answers, as `fetch` gives them to a page of another origin.

/** @import { Answer } from "./handler.js" */

/** Headers that such a page may read without being told so. */
const readable = /^(cache-control|content-(language|length|type)|expires|last-modified|pragma)$/;

/** As the server delivers bodies in pieces, in milliseconds. */
const SLOW_PIECES = 20;
const SLOW_PAUSE = 150;
const HALF_PAUSE = 50;

/**
 * @param {Answer} answer
 * @param {AbortSignal} signal ends a body that comes in pieces
 * @returns {Promise<Response>}
 */
export async function delivered({ status, headers, body, delivery }, signal) {
  if (delivery === "stall") {
    return new Promise(() => {});
  }
  if (delivery === "drop") {
    throw broken();
  }
  const all = headersOf(headers);
  if (!all.has("access-control-allow-origin")) {
    throw new TypeError("Failed to fetch: the answer does not allow pages of another origin");
  }
  const exposed = all.get("access-control-expose-headers")?.split(/, */) ?? [];
  const seen = new Headers({ "content-length": String(body.length) });
  for (const [name, value] of all) {
    if (readable.test(name) || exposed.includes(name)) seen.set(name, value);
  }
  const empty = body.length === 0;
  return new Response(empty ? null : inPieces(body, delivery, signal), { status, headers: seen });
}

/** @param {string[]} pairs names and values by turns */
function headersOf(pairs) {
  const headers = new Headers();
  for (let at = 0; at < pairs.length; at += 2) headers.append(pairs[at], pairs[at + 1]);
  return headers;
}

const broken = () => new TypeError("Failed to fetch: the key asked for a broken connection");

/**
 * @param {Uint8Array<ArrayBuffer>} body
 * @param {string | undefined} delivery
 * @param {AbortSignal} signal
 */
function inPieces(body, delivery, signal) {
  switch (delivery) {
    case "half":
      return paced([body.subarray(0, body.length / 2), broken()], HALF_PAUSE, signal);
    case "slow": {
      const size = Math.ceil(body.length / SLOW_PIECES);
      const starts = Array.from({ length: Math.ceil(body.length / size) }, (_, at) => at * size);
      const pieces = starts.map((start) => body.subarray(start, start + size));
      return paced(pieces, SLOW_PAUSE, signal);
    }
    default:
      return body;
  }
}

/**
 * The pieces, each but the first after a pause.
 *
 * @param {(Uint8Array<ArrayBuffer> | Error)[]} pieces
 * @param {number} pause in milliseconds
 * @param {AbortSignal} signal
 */
function paced(pieces, pause, signal) {
  let next = 0;
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const stream = new ReadableStream({
    start: (controller) =>
      signal.addEventListener("abort", () => controller.error(signal.reason), { once: true }),
    async pull(controller) {
      if (next > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted) return;
      const piece = pieces[next++];
      if (piece instanceof Error) controller.error(piece);
      else if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
  return stream;
}
