// The proxy of worker.js as a function of Netlify: `netlify/functions/api.js`. Set PATH_PREFIX to `/api`.

import worker from "./worker.js";

/** @param {Request} request */
export default (request) =>
  worker.fetch(request, /** @type {import("./worker.js").Env} */ ({ ...process.env }));

export const config = { path: "/api/*" };
