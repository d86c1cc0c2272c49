// The API behind the proxies: a server with a client key, and before it a recorder of the requests.

import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join, resolve } from "node:path";

import { canary } from "../../support/keys.js";
import { png } from "../app/src/image.js";
import { start } from "../programs.js";
import { root } from "../workspace.js";

/** @typedef {{ method?: string, url?: string, headers: import("node:http").IncomingHttpHeaders }} Received */

/** Returns the body of a create request. */
export const createBody = (parameters = {}) =>
  JSON.stringify({
    image_url: `data:image/png;base64,${Buffer.from(png()).toString("base64")}`,
    ...parameters,
  });

/** The key that the proxies add. */
export const key = `${canary}-of-the-proxy`;

/** The requests that reached the API. @type {Received[]} */
export const received = [];

/** The address of the server. */
let server = "";

/** Forwards requests to the server, and records them. */
const recorder = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  incoming.on("end", () => received.push({ method, url, headers }));
  const { hostname, port } = new URL(server);
  const forwarded = request({ hostname, port, method, path: url, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 500, { ...response.headers, "set-cookie": "a=b" });
    response.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.destroy());
  incoming.on("error", () => forwarded.destroy());
  incoming.pipe(forwarded);
});

/** Starts the recorder, shared by all proxies, and returns its address. */
export async function recorderAddress() {
  if (!recorder.listening) {
    await once(recorder.listen(0, "127.0.0.1"), "listening");
    recorder.unref();
  }
  const { port } = /** @type {import("node:net").AddressInfo} */ (recorder.address());
  return `http://127.0.0.1:${port}`;
}

/**
 * Starts a server that the proxy at an address has the only key of, and that lets each visitor of the
 * proxy create one session with a paid engine.
 *
 * @param {string} publicUrl
 * @param {string[]} [more] flags
 */
export async function startApi(publicUrl, more = []) {
  const folder = join(root, "api");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "clients"), `shop ${key}\n`, { mode: 0o600 });
  writeFileSync(
    join(folder, "config.toml"),
    `clients_file = "clients"
client_header = "x-visitor"
public_url = ${JSON.stringify(publicUrl)}

# No request reaches the engine.
[engines.meshy]
url = "http://127.0.0.1:9"
poll = 60
`,
  );
  const flags = ["--port", "0", "--config", "config.toml", "--daily-limit-each", "1"];
  const limits = ["--body-limit", "256", "--speed", "5"];
  const program = resolve("target/debug/csm-image-to-3d-server");
  const { match, stop } = await start(
    program,
    [...flags, ...limits, ...more],
    /^listening on (\S+)/,
    {
      cwd: folder,
      env: { MESHY_API_KEY: canary },
    },
  );
  server = match[1];
  return stop;
}
