// Requests that a proxy must reject. `ALLOWED` stands for the allowed origin, `PROXY` for the address of
// the proxy, `ROOT` for its path without the prefix.

export const sessionsPath = "/image-to-3d-sessions";
const code = "SESSION_1234567890_1234567";

/**
 * @typedef {object} TestRequest
 * @property {string} [method]
 * @property {string} [target]
 * @property {Record<string, string | undefined>} [headers] `undefined` removes a header
 * @property {number} [length] of the body, in bytes
 * @property {string} [body] in place of one of that length
 * @property {boolean} [chunked] sends no `Content-Length`
 * @property {string} [localAddress] the address of the sender
 */

/**
 * Returns the requests that a proxy must reject.
 *
 * @param {number} maxBodyBytes the largest body that it forwards
 * @returns {Record<string, TestRequest>}
 */
export const rejectedRequests = (maxBodyBytes) => ({
  "a path outside of the prefix": { target: `ROOT${sessionsPath}` },
  "another path": { target: "/sandbox/requests" },
  "the root": { target: "/" },
  "a folder of files": { target: `/files/${code}` },
  "a file with another query": { target: `/files/${code}/image?key=mine` },
  "a file's parent": { target: `/files/${code}/../image` },
  "a file that is posted": { method: "POST", target: `/files/${code}/image`, length: 2 },
  "a path with the same prefix": { target: `${sessionsPath}-of-others` },
  "a path in other case": { target: "/Image-To-3D-Sessions" },
  "a dot segment": { target: `${sessionsPath}/../sandbox/requests` },
  "an encoded dot segment": { target: `${sessionsPath}/%2e%2e/sandbox/requests` },
  "encoded slashes": { target: `${sessionsPath}/..%2fsandbox%2frequests` },
  "double-encoded slashes": { target: `${sessionsPath}/..%252fsandbox%252frequests` },
  backslashes: { target: `${sessionsPath}/..\\..\\sandbox\\requests` },
  "a double slash": { target: `/${sessionsPath}` },
  "a double slash inside": { target: `${sessionsPath}//${code}` },
  "a trailing slash": { target: `${sessionsPath}/${code}/` },
  "an encoded name": { target: `${sessionsPath}/%53ESSION` },
  "an encoded null": { target: `${sessionsPath}/${code}%00` },
  "an encoded line break": { target: `${sessionsPath}/${code}%0d%0ax-api-key:%20mine` },
  "a path parameter": { target: `${sessionsPath};a=b` },
  "a query on a session": { target: `${sessionsPath}/${code}?limit=1` },
  "an unknown query parameter": { target: `${sessionsPath}?limit=1&key=mine` },
  "a repeated query parameter": { target: `${sessionsPath}?limit=1&limit=1000` },
  "an encoded query separator": { target: `${sessionsPath}?limit=1%26admin=1` },
  "a query on a POST": { method: "POST", target: `${sessionsPath}?limit=1`, length: 2 },
  "an unknown action": {
    method: "POST",
    target: `${sessionsPath}/get-3d/delete/${code}`,
    length: 2,
  },
  "a POST to a session": { method: "POST", target: `${sessionsPath}/${code}`, length: 2 },
  DELETE: { method: "DELETE", target: `${sessionsPath}/${code}` },
  PUT: { method: "PUT", target: `${sessionsPath}/${code}`, length: 2 },
  PATCH: { method: "PATCH", target: `${sessionsPath}/${code}`, length: 2 },
  HEAD: { method: "HEAD" },
  TRACE: { method: "TRACE" },
  "a custom method": { method: "PURGE" },
  "another origin": { headers: { origin: "https://evil.example" } },
  "a preflight of another origin": {
    method: "OPTIONS",
    headers: { origin: "https://evil.example" },
  },
  "a null origin": { headers: { origin: "null" } },
  "an origin with the same prefix": { headers: { origin: "ALLOWED.evil.example" } },
  "a POST without an origin": { method: "POST", headers: { origin: undefined }, length: 2 },
  "a GET without an origin": { headers: { origin: undefined } },
  "an image element of another site": {
    headers: { origin: undefined, "sec-fetch-site": "cross-site" },
  },
  "a Content-Length above the limit": { method: "POST", length: maxBodyBytes + 1 },
  "a chunked body above the limit": { method: "POST", length: maxBodyBytes + 1, chunked: true },
  "an absolute URL": {
    target: `http://evil.example${sessionsPath}`,
    headers: { host: "evil.example" },
  },
  "an absolute URL of another path": { target: "PROXY/sandbox/requests" },
  "another host": { headers: { host: "evil.example" } },
  "another host with same-origin fetch metadata": {
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
});

/** Headers on which two HTTP parsers may disagree about the end of a request. @type {Record<string, string[]>} */
export const ambiguous = {
  "Content-Length before chunked encoding": [
    "Content-Length: HIDDEN",
    "Transfer-Encoding: chunked",
  ],
  "Content-Length after chunked encoding": ["Transfer-Encoding: chunked", "Content-Length: 4"],
  "two Content-Length headers": ["Content-Length: 5", "Content-Length: HIDDEN"],
  "two transfer encodings": ["Content-Length: HIDDEN", "Transfer-Encoding: identity, chunked"],
  "Transfer-Encoding with a space before the colon": [
    "Content-Length: HIDDEN",
    "Transfer-Encoding : chunked",
  ],
  "Transfer-Encoding with a tab": ["Content-Length: HIDDEN", "Transfer-Encoding:\tchunked"],
  "a folded Transfer-Encoding line": ["Content-Length: HIDDEN", "Transfer-Encoding:", " chunked"],
};
