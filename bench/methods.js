// The names of the methods in `page/methods.js`, as the tables show them.

/** The method that is the lower bound for the time of an upload. */
export const limit = "limit";

/** The method that does what every page has to do, without reading a file and without encoding. */
export const reach = "reach";

/**
 * The methods that send an image: the library and the baselines.
 *
 * @type {Record<string, string>}
 */
export const methodNames = {
  library: "this library",
  FileReader: "`FileReader`, `JSON.stringify`, `fetch`",
  axios: "`FileReader`, axios",
  toBase64: "`toBase64()`, `JSON.stringify`, `fetch`",
  gloo: "Rust: gloo-file, serde_json, gloo-net",
};

/**
 * References, which send no image but a prepared body of the same size.
 *
 * @type {Record<string, string>}
 */
export const referenceNames = {
  [limit]: "the limit: read the file, send a prepared `Blob`",
  bytes: "no encoding: read the file, send prepared bytes",
  [reach]: "what a page can reach: create a `Blob` from prepared bytes, send it",
};
