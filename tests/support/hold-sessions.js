/** @import { Page } from "playwright-core" */

/**
 * Overwrites fields of all sessions that a page fetches, until the returned function is called. With
 * a status that is not final, no session makes progress in the page meanwhile.
 *
 * @param {Page} page
 * @param {object} fields
 * @returns a function that lets the sessions continue
 */
export async function holdSessions(page, fields) {
  await page.route("**/image-to-3d-sessions/SESSION_*", async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const response = await route.fetch();
    const json = await response.json();
    Object.assign(json.data, fields);
    await route.fulfill({ response, json });
  });
  return () => page.unrouteAll({ behavior: "ignoreErrors" });
}
