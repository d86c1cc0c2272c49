// The names of the methods in `page/methods.js`, as the tables show them.

/** @import { Settings } from "./lib/settings.js" */

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

/**
 * The builds that are measured with a baseline. The old one is measured twice, for its spread against
 * itself.
 */
export const buildNames = {
  library: "this build",
  old: "the old build",
  oldAgain: "the old build again",
};

/** @typedef {keyof typeof buildNames} BuildName */

/**
 * Returns the names of the methods to measure.
 *
 * @param {Settings} settings
 * @param {string[]} [quickMethods] those of a quick run, if fewer than all
 */
export function selectMethods({ quick, baseline }, quickMethods) {
  if (baseline !== undefined) return Object.keys(buildNames);
  return (quick && quickMethods) || Object.keys(methodNames);
}
