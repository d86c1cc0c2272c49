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

/** The settings of the proxy. */
function settings() {
  const { port } = /** @type {import("node:net").AddressInfo} */ (upstream.address());
  return {
    API_KEY: "a-key",
    UPSTREAM: `http://127.0.0.1:${port}`,
    SERVER_NAME: "api.my-app.example",
    ALLOWED_ORIGIN: site,
  };
}

/** @param {string} origin */
function createRequest(origin) {
  const body = '{ "image_url": "https://example.com/" }';
  const headers = { origin, "content-length": String(body.length) };
  const init = { method: "POST", body, headers };
  return new Request("https://api.my-app.example/image-to-3d-sessions", init);
}

test("forwards a create request with its body and the key", async () => {
  const request = createRequest(site);
  const body = await request.clone().text();
  const response = await worker.fetch(request, settings());
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { key: "a-key", body });
});

test("accepts an origin with a slash at the end, and a host name with a port", async () => {
  const environment = {
    ...settings(),
    ALLOWED_ORIGIN: `https://other.example/ ${site}/`,
    SERVER_NAME: "api.my-app.example:443",
  };
  assert.equal((await worker.fetch(createRequest(site), environment)).status, 200);
});

for (const [name, status, message, change] of /** @type {const} */ ([
  ["missing settings", 500, /: API_KEY, UPSTREAM$/, { API_KEY: "", UPSTREAM: "" }],
  ["another host", 421, /SERVER_NAME/, { SERVER_NAME: "my-app.example" }],
  ["another origin", 403, /ALLOWED_ORIGIN/, { ALLOWED_ORIGIN: "https://other.example" }],
  ["an upstream that is down", 502, /UPSTREAM/, { UPSTREAM: "http://127.0.0.1:1" }],
]))
  test(`says why a request fails: ${name}`, async () => {
    const response = await worker.fetch(createRequest(site), { ...settings(), ...change });
    assert.equal(response.status, status);
    assert.match((await response.json()).message, message);
  });
