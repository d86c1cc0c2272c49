// The proxy of worker.js as a route handler of Next.js, `app/api/[...path]/route.js`, or as a function
// of Vercel without Next.js, `api/proxy.js` with these `rewrites` in `vercel.json`:
//   [{ "source": "/api/(.*)", "destination": "/api/proxy" }]
// Set PATH_PREFIX to `/api`.

import { forwardToApi } from "./worker.js";

/** @param {Request} request */
const handle = (request) => {
  const { VERCEL, VISITOR_HEADER = VERCEL && "x-vercel-forwarded-for" } = process.env;
  return forwardToApi(request, /** @type {import("./worker.js").Env} */ ({ ...process.env }), {
    // Elsewhere the server in front of Next.js has to set a header, which VISITOR_HEADER names.
    visitor: VISITOR_HEADER && request.headers.get(VISITOR_HEADER),
    // Vercel itself rejects more than 4.5 MB. Next.js has no limit for route handlers.
    ...(VERCEL && { maxBodyBytes: 4_500_000 }),
  });
};

export { handle as GET, handle as OPTIONS, handle as POST };
