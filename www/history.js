// The list of earlier sessions. Server sessions are kept in `localStorage`, so that a reload does
// not lose them. API keys are never stored.

/** @import { StageName } from "./pkg/index.js" */
/** @import { Endpoint } from "./endpoint.js" */

/**
 * A session in the list.
 *
 * @typedef {object} Entry
 * @property {string} code
 * @property {Endpoint} baseUrl of its server
 * @property {string} name the image's file name
 * @property {StageName} until the stage to wait for
 * @property {boolean} open whether a reload resumes the wait
 */

const storageKey = "csm-image-to-3d.sessions";
const maxEntries = 12;

/**
 * The sessions of the API in this page. They end with the page, so they are not stored.
 *
 * @type {Entry[]}
 */
let inPageEntries = [];

/**
 * Lists the sessions, newest first: this page's own, then the servers'.
 *
 * @returns {Entry[]}
 */
export function listEntries() {
  return [...inPageEntries, ...storedEntries()];
}

/** @returns {Entry[]} */
function storedEntries() {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? "[]");
  } catch {
    // The browser denies access to storage: the page works without a history.
    return [];
  }
}

/**
 * Adds a session to the list, or updates it.
 *
 * @param {Entry} entry
 */
export function saveEntry(entry) {
  if (entry.baseUrl === null) {
    inPageEntries = upsert(inPageEntries, entry);
    return;
  }
  try {
    localStorage.setItem(storageKey, JSON.stringify(upsert(storedEntries(), entry)));
  } catch {
    // See `storedEntries`.
  }
}

/**
 * @param {Entry[]} entries
 * @param {Entry} entry
 */
function upsert(entries, entry) {
  const index = entries.findIndex(({ code }) => code === entry.code);
  return index < 0 ? [entry, ...entries].slice(0, maxEntries) : entries.with(index, entry);
}
