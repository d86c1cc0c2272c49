// The documented curl command, with another scheme and host.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { server } from "../support/browsers.js";
import { startNpx } from "../support/npx.js";

test("the server returns all documented fields to the documented curl command", () => {
  assertDocumentedResponse(server);
});

test("npx csm-image-to-3d returns all documented fields to the documented curl command", async () => {
  assertDocumentedResponse((await startNpx()).address);
});

/** @param {string} address */
function assertDocumentedResponse(address) {
  const body = `{
    "image_url": "https://via.placeholder.com/300/09f/fff.png",
    "refine_speed": "fast",
    "creativity": "lowest"
}`;
  const output = execFileSync("curl", [
    ...["--silent", "--write-out", "\n%{http_code}", "-k", "--location"],
    `${address}/image-to-3d-sessions`,
    ...["--header", "x-api-key: <X-API_KEY>", "--header", "Content-Type: application/json"],
    ...["--data", body],
  ]).toString();
  const [json, code] = output.split("\n");
  const { data, ...envelope } = JSON.parse(json);

  assert.equal(code, "201");
  assert.deepEqual(envelope, { error: "", message: "Created", statusCode: 201 });
  assert.match(data._id, /^[0-9a-f]{24}$/);
  assert.match(data.user_id, /^[0-9a-f]{24}$/);
  assert.match(data.session_code, /^SESSION_\d{10}_\d{7}$/);
  for (const date of [data.created_at, data.updated_at]) {
    assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.parse(date) - Date.now()) < 60_000);
  }
  const expected = {
    image_url: "https://via.placeholder.com/300/09f/fff.png",
    texture_resolution: 2048,
    status: "spin_generate_processing",
    topology: "tris",
    source: "external",
    creativity: "lowest",
    refine_speed: "fast",
  };
  assert.deepEqual({ ...data, ...expected }, data);
}
