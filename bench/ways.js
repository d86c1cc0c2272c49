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
  [limit]: "the limit: read the file, send a ready body",
};
