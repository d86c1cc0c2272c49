// The ways in which `page/ways.js` sends a picture, as the tables call them.

/** What none can be faster than. */
export const limit = "limit";

/** @type {Record<string, string>} */
export const names = {
  library: "this library",
  FileReader: "`FileReader`, `JSON.stringify`, `fetch`",
  axios: "`FileReader`, axios",
  toBase64: "`toBase64()`, `JSON.stringify`, `fetch`",
  gloo: "Rust: gloo-file, serde_json, gloo-net",
};

/**
 * No ways to send a picture, but what takes part in each: reading it, and sending a body that was
 * ready before.
 *
 * @type {Record<string, string>}
 */
export const references = {
  [limit]: "the limit: read the file, send a ready `Blob`",
  bytes: "no encoding: read the file, send ready bytes",
  handover: "no encoding: read the file, make a `Blob` of ready bytes, send it",
};
