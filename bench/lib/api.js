// Starts the project's server, and a proxy that counts its traffic.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

/**
 * Starts the API on a free port.
 *
 * @param {string[]} flags
 * @param {string} [program] another build of the server
 */
export async function startApi(flags, program = "target/server/csm-image-to-3d-server") {
  const child = spawn(program, ["--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  const origin = String(line).replace("listening on ", "");
  return {
    origin,
    process: /** @type {number} */ (child.pid),

    /**
     * Creates a session, and returns its code.
     *
     * @param {object} body
     * @returns {Promise<string>}
     */
    async create(body) {
      const response = await fetch(`${origin}/image-to-3d-sessions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const { data, message } = await response.json();
      if (!response.ok) throw new Error(`${response.status}: ${message}`);
      return data.session_code;
    },

    /**
     * Fetches a session.
     *
     * @param {string} code
     * @returns {Promise<{ status: string }>}
     */
    async session(code) {
      return (await (await fetch(`${origin}/image-to-3d-sessions/${code}`)).json()).data;
    },

    close: () => child.kill("SIGKILL"),
  };
}

/**
 * Starts a proxy that counts requests and bytes.
 *
 * @param {string} origin
 */
export async function countingProxy(origin) {
  const { hostname, port } = new URL(origin);
  const counts = { requests: 0, bytes: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.on("data", (chunk) => {
      // A request without a body arrives in one chunk.
      counts.requests +=
        chunk.toString("latin1").match(/^[A-Z]+ \/\S* HTTP\/1\.1\r$/gm)?.length ?? 0;
      counts.bytes += chunk.length;
    });
    upstream.on("data", (chunk) => (counts.bytes += chunk.length));
    for (const socket of [client, upstream]) {
      socket.on("error", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { origin: `http://127.0.0.1:${address.port}`, counts, close: () => server.close() };
}
