// The sessions of this browser, so that a reload loses none. No key is kept.

/** @import { Until } from "./pkg/index.js" */

/**
 * @typedef {object} Entry
 * @property {string} code
 * @property {string} baseUrl
 * @property {string} name of the picture
 * @property {Until} until what is waited for
 * @property {boolean} open whether it is still waited for
 */

const key = "csm-image-to-3d.sessions";
const kept = 12;

/** @returns {Entry[]} the newest first */
export function entries() {
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
  const list = entries();
  const index = list.findIndex(({ code }) => code === entry.code);
  if (index < 0) {
    list.unshift(entry);
  } else {
    list[index] = entry;
  }
  try {
    localStorage.setItem(key, JSON.stringify(list.slice(0, kept)));
  } catch {
    // As above.
  }
}
