// The proxy of worker.js as a function of Netlify: `netlify/functions/api.js`. Set PATH_PREFIX to `/api`.

import { forwardToApi } from "./worker.js";

/**
 * @param {Request} request
 * @param {{ ip: string }} context
 */
export default (request, { ip }) =>
  forwardToApi(request, /** @type {import("./worker.js").Env} */ ({ ...process.env }), {
    visitor: ip,
    // The limit of Netlify.
    maxBodyBytes: 6_000_000,
  });

export const config = { path: "/api/*" };
