// Waits for sessions: with the library, and with a polling loop.

/**
 * @typedef {object} Waits
 * @property {{ code: string, after: number }[]} sessions `after`: milliseconds until the wait starts
 * @property {string} baseUrl
 */

/**
 * Waits for all sessions at once, with both methods. Returns when each wait started and ended, in
 * milliseconds since 1970.
 *
 * @param {{ library: Waits, loop: Waits }} waits
 */
export async function wait({ library, loop }) {
  const module = "/pkg/index.js";
  const { waitForSession } = await import(module);
  const [libraryWaits, loopWaits] = await Promise.all([
    waitForAll(library, (code) => waitForSession(code, { baseUrl: library.baseUrl })),
    waitForAll(loop, (code) => waitInLoop(`${loop.baseUrl}/image-to-3d-sessions/${code}`)),
  ]);
  return { library: libraryWaits, loop: loopWaits };
}

/**
 * @param {Waits} waits
 * @param {(code: string) => Promise<unknown>} wait
 */
function waitForAll({ sessions }, wait) {
  const now = () => performance.timeOrigin + performance.now();
  return Promise.all(
    sessions.map(async ({ code, after }) => {
      await sleep(after);
      const started = now();
      await wait(code);
      return { code, started, ended: now() };
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
