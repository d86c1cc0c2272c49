// Waiting for sessions: the library's way, and the loop that one writes.

/**
 * @typedef {object} Waits
 * @property {{ code: string, after: number }[]} sessions `after`: milliseconds until the wait begins
 * @property {string} baseUrl
 */

/**
 * Waits for all sessions at once, in both ways; answers how long each wait began after this call,
 * and when it ended, in milliseconds since 1970.
 *
 * @param {{ library: Waits, loop: Waits }} what
 */
export async function wait({ library, loop }) {
  const module = "/pkg/index.js";
  const { waitForSession } = await import(module);
  const [ours, theirs] = await Promise.all([
    each(library, (code) => waitForSession(code, { baseUrl: library.baseUrl })),
    each(loop, (code) => waitInLoop(`${loop.baseUrl}/image-to-3d-sessions/${code}`)),
  ]);
  return { library: ours, loop: theirs };
}

/**
 * @param {Waits} waits
 * @param {(code: string) => Promise<unknown>} wait
 */
function each({ sessions }, wait) {
  const now = () => performance.timeOrigin + performance.now();
  return Promise.all(
    sessions.map(async ({ code, after }) => {
      await sleep(after);
      const began = now();
      await wait(code);
      return { code, began, ended: now() };
    }),
  );
}

/** @param {string} url */
async function waitInLoop(url) {
  for (;;) {
    const { data } = await (await fetch(url)).json();
    if (data.status === "preview_done") return;
    await sleep(3000);
  }
}

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
