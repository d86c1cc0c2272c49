// One clock for the pages and for this process: the machine's.

/** Milliseconds since 1970, finer than `Date.now()`. */
export const now = () => performance.timeOrigin + performance.now();

/** @param {number} milliseconds */
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
