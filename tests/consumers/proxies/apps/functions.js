// Runs a function of Vercel or Netlify in Node.js, as these platforms do: with a `Request`, whose
// visitor they name in a header.

import { createServer } from "node:http";

import { sendResponse, toRequest } from "./express.js";

const [file] = process.argv.slice(2);
const module = await import(file);

const server = createServer(async (received, response) => {
  try {
    const { method = "" } = received;
    const handle = module.default ?? module[method];
    if (!handle) return response.writeHead(405).end();
    const ip = received.headers["x-nf-client-connection-ip"];
    await sendResponse(response, await handle(toRequest(received), { ip }));
  } catch {
    response.destroy();
  }
}).listen(0, "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`listening on http://127.0.0.1:${port}`);
});
