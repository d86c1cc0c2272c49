// What a proxy must not let through. `ALLOWED` stands for the origin of the page that may call,
// `PROXY` for the proxy's own address.

export const sessions = "/image-to-3d-sessions";
const code = "SESSION_1234567890_1234567";

/**
 * @typedef {object} Asked
 * @property {string} [method]
 * @property {string} [target]
 * @property {Record<string, string | undefined>} [headers] `undefined` leaves one out
 * @property {number} [length] of the body, in bytes
 * @property {boolean} [chunked] the length is not said in advance
 */

/** The most that is let through, in bytes. */
export const largest = 64 * 1024 * 1024;

/** @type {Record<string, Asked>} */
export const refusals = {
  "another path": { target: "/sandbox/requests" },
  "the root": { target: "/" },
  "a file": { target: `/files/${code}/image` },
  "a path that only begins so": { target: `${sessions}-of-others` },
  "a path in other letters": { target: "/Image-To-3D-Sessions" },
  "a dot segment": { target: `${sessions}/../sandbox/requests` },
  "an encoded dot segment": { target: `${sessions}/%2e%2e/sandbox/requests` },
  "encoded slashes": { target: `${sessions}/..%2fsandbox%2frequests` },
  "twice encoded slashes": { target: `${sessions}/..%252fsandbox%252frequests` },
  backslashes: { target: `${sessions}/..\\..\\sandbox\\requests` },
  "a double slash": { target: `/${sessions}` },
  "a double slash within": { target: `${sessions}//${code}` },
  "a slash at the end": { target: `${sessions}/${code}/` },
  "an encoded name": { target: `${sessions}/%53ESSION` },
  "an encoded null": { target: `${sessions}/${code}%00` },
  "an encoded line's end": { target: `${sessions}/${code}%0d%0ax-api-key:%20mine` },
  "a path parameter": { target: `${sessions};a=b` },
  "a query where none belongs": { target: `${sessions}/${code}?limit=1` },
  "a query of another name": { target: `${sessions}?limit=1&key=mine` },
  "a query twice": { target: `${sessions}?limit=1&limit=1000` },
  "an encoded query": { target: `${sessions}?limit=1%26admin=1` },
  "a query on a POST": { method: "POST", target: `${sessions}?limit=1`, length: 2 },
  "another step": { method: "POST", target: `${sessions}/get-3d/delete/${code}`, length: 2 },
  "a POST to a session": { method: "POST", target: `${sessions}/${code}`, length: 2 },
  DELETE: { method: "DELETE", target: `${sessions}/${code}` },
  PUT: { method: "PUT", target: `${sessions}/${code}`, length: 2 },
  PATCH: { method: "PATCH", target: `${sessions}/${code}`, length: 2 },
  HEAD: { method: "HEAD" },
  TRACE: { method: "TRACE" },
  "a verb of one's own": { method: "PURGE" },
  "a foreign page": { headers: { origin: "https://evil.example" } },
  "a foreign page's preflight": { method: "OPTIONS", headers: { origin: "https://evil.example" } },
  "a page without an origin": { headers: { origin: "null" } },
  "an origin that only begins so": { headers: { origin: "ALLOWED.evil.example" } },
  "a POST that tells no origin": { method: "POST", headers: { origin: undefined }, length: 2 },
  "a GET that tells no origin": { headers: { origin: undefined } },
  "a picture tag of a foreign page": {
    headers: { origin: undefined, "sec-fetch-site": "cross-site" },
  },
  "a body that says it is too large": { method: "POST", length: largest + 1 },
  "a body that is too large": { method: "POST", length: largest + 1, chunked: true },
  "an absolute address": {
    target: `http://evil.example${sessions}`,
    headers: { host: "evil.example" },
  },
  "an absolute address of another path": { target: "PROXY/sandbox/requests" },
  "another host": { headers: { host: "evil.example" } },
  "another host, same origin": {
    headers: { host: "evil.example", origin: undefined, "sec-fetch-site": "same-origin" },
  },
  "an upgrade": {
    headers: {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  },
};

/** Ways to make two readers disagree on where a request ends. @type {Record<string, string[]>} */
export const ambiguous = {
  "a length beside chunks": ["Content-Length: HIDDEN", "Transfer-Encoding: chunked"],
  "chunks beside a length": ["Transfer-Encoding: chunked", "Content-Length: 4"],
  "two lengths": ["Content-Length: 5", "Content-Length: HIDDEN"],
  "two codings": ["Content-Length: HIDDEN", "Transfer-Encoding: identity, chunked"],
  "a coding with a space before its colon": [
    "Content-Length: HIDDEN",
    "Transfer-Encoding : chunked",
  ],
  "a coding with a tab in it": ["Content-Length: HIDDEN", "Transfer-Encoding:\tchunked"],
  "a coding on a line that is folded": ["Content-Length: HIDDEN", "Transfer-Encoding:", " chunked"],
};
