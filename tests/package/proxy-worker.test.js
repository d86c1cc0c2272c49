// The proxy of examples/proxy/worker.js in Node.js, as in a route of Next.js or Express.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import worker from "../../examples/proxy/worker.js";

const site = "https://my-app.example";
const upstream = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({ key: request.headers["x-api-key"], body: Buffer.concat(chunks).toString() }),
  );
});

before(() => once(upstream.listen(0, "127.0.0.1"), "listening"));
after(() => upstream.close());

test("forwards a create request with its body and the key", async () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (upstream.address());
  const environment = {
    API_KEY: "a-key",
    UPSTREAM: `http://127.0.0.1:${port}`,
    SERVER_NAME: "api.my-app.example",
    ALLOWED_ORIGIN: site,
  };
  const body = '{ "image_url": "https://example.com/" }';
  const headers = { origin: site, "content-length": String(body.length) };
  const request = new Request("https://api.my-app.example/image-to-3d-sessions", {
    ...{ method: "POST", body, headers },
  });
  const response = await worker.fetch(request, environment);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { key: "a-key", body });
});
