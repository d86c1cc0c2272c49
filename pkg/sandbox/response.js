// The sandbox's answers, as `fetch` gives them to a page of another origin, or to a server that
// hands them on.

/** @import { Answer } from "./handler.js" */

/** Headers that such a page may read without being told so. */
const readable = /^(cache-control|content-(language|length|type)|expires|last-modified|pragma)$/;

/** Such an answer must not name a length. */
const NO_CONTENT = 204;

/** As the server delivers bodies in pieces, in milliseconds. */
const SLOW_PIECES = 20;
const SLOW_PAUSE = 150;
const HALF_PAUSE = 50;

/**
 * @param {Answer} answer
 * @param {{ signal: AbortSignal, inPage: boolean }} to whom: the signal ends a body that comes in
 *   pieces; a page sees of the headers what a browser would show it
 * @returns {Promise<Response>}
 */
export async function delivered({ status, headers, body, delivery }, { signal, inPage }) {
  if (delivery === "stall") {
    return new Promise(() => {});
  }
  if (delivery === "drop") {
    throw broken();
  }
  const all = headersOf(headers);
  if (status !== NO_CONTENT) all.set("content-length", String(body.length));
  const seen = inPage ? shownToPages(all) : all;
  const empty = body.length === 0;
  return new Response(empty ? null : inPieces(body, delivery, signal), { status, headers: seen });
}

/**
 * @param {Headers} all
 * @throws {TypeError} where a page may see nothing of the answer
 */
function shownToPages(all) {
  if (!all.has("access-control-allow-origin")) {
    throw new TypeError("Failed to fetch: the answer does not allow pages of another origin");
  }
  const exposed = all.get("access-control-expose-headers")?.split(/, */) ?? [];
  const seen = new Headers();
  for (const [name, value] of all) {
    if (readable.test(name) || exposed.includes(name)) seen.set(name, value);
  }
  return seen;
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
    case "truncate":
      return paced([body.subarray(0, body.length / 2), broken()], HALF_PAUSE, signal);
    case "throttle": {
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
