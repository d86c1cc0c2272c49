import { app } from "./app.js";

export default {
  /**
   * @param {Request} request
   * @param {{ SERVER: string }} env
   */
  fetch: async (request, { SERVER }) => Response.json(await app(SERVER)),
};
