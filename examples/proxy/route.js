// The proxy of worker.js as a route handler: `app/api/[...path]/route.js` in Next.js, or
// `api/[...path].js` as a function of Vercel. Set PATH_PREFIX to `/api`.

import worker from "./worker.js";

/** @param {Request} request */
const handle = (request) =>
  worker.fetch(request, /** @type {import("./worker.js").Env} */ ({ ...process.env }));

export { handle as GET, handle as OPTIONS, handle as POST };
