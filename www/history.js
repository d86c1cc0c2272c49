// The sessions of this browser, so that a reload loses none that lives on. No key is kept.

/** @import { Until } from "./pkg/index.js" */
/** @import { Endpoint } from "./endpoint.js" */

/**
 * @typedef {object} Entry
 * @property {string} code
 * @property {Endpoint} baseUrl of its server
 * @property {string} name of the picture
 * @property {Until} until what is waited for
 * @property {boolean} open whether it is still waited for
 */

const key = "csm-image-to-3d.sessions";
const kept = 12;

/**
 * Those that were made in this page, which end with it.
 *
 * @type {Entry[]}
 */
let own = [];

/** @returns {Entry[]} this page's own, and then the others; each the newest first */
export function entries() {
  return [...own, ...stored()];
}

/** @returns {Entry[]} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]");
  } catch {
    // A browser may forbid storage; the page works without.
    return [];
  }
}

/**
 * Adds a session, or says something new of one that is there.
 *
 * @param {Entry} entry
 */
export function remember(entry) {
  if (entry.baseUrl === null) {
    own = withEntry(own, entry);
    return;
  }
  try {
    localStorage.setItem(key, JSON.stringify(withEntry(stored(), entry)));
  } catch {
    // As above.
  }
}

/**
 * @param {Entry[]} list
 * @param {Entry} entry
 */
function withEntry(list, entry) {
  const index = list.findIndex(({ code }) => code === entry.code);
  return index < 0 ? [entry, ...list].slice(0, kept) : list.with(index, entry);
}
