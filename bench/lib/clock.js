// A clock that pages and this process share: the machine's.

/** Returns milliseconds since 1970, with a finer resolution than `Date.now()`. */
export const now = () => performance.timeOrigin + performance.now();

/** Waits. @param {number} milliseconds */
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
