// Sessions that wait for a test.

/** @import { Page } from "playwright-core" */

/**
 * Lets no session of a page go on before the answer is called, however late that is.
 *
 * @param {Page} page
 * @param {object} fields what all its sessions say meanwhile
 */
export async function held(page, fields) {
  await page.route("**/image-to-3d-sessions/SESSION_*", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    Object.assign(json.data, fields);
    await route.fulfill({ response, json });
  });
  return () => page.unrouteAll({ behavior: "ignoreErrors" });
}
