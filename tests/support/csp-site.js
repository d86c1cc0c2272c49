import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

import { bundleForPage } from "./bundle.js";

/** @import { AddressInfo } from "node:net" */

const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; " +
  "connect-src 'self' blob: data:; worker-src ";

const page =
  '<!doctype html><title>Empty</title><script type="module" src="/sandbox-page.js"></script>';

/**
 * Serves `dist/` under a strict content security policy, and at `/` an empty page with the globals of
 * `sandbox-page.js`. The query's `worker-src` completes the policy.
 */
export async function startCspSite() {
  const script = await bundleForPage("sandbox-page.js");
  /** @type {string[]} */
  const paths = [];
  const server = createServer(({ url = "/" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    paths.push(pathname);
    response.setHeader("content-type", pathname.endsWith(".js") ? "text/javascript" : "text/html");
    response.setHeader("content-security-policy", policy + searchParams.get("worker-src"));
    if (pathname === "/") response.end(page);
    else if (pathname === "/sandbox-page.js") response.end(script);
    else if (existsSync(`dist${pathname}`)) response.end(readFileSync(`dist${pathname}`));
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${port}`,
    /** The paths that were requested. */
    paths,
    close: () => server.close(),
  };
}
