// API keys of the tests. Runs in Node.js and in pages.

/** A part of every key: the test run searches all its output for it. */
export const canary = "canary7d1f93";

/**
 * Returns a key that makes the server simulate a fault. Each key is new, and so is its counter.
 *
 * @param {string} fault
 */
export const faultKey = (fault) => `fault_${fault}_${canary}${Math.random().toString(36).slice(2)}`;
