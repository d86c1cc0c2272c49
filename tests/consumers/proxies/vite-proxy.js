// Vite's development server as a proxy that adds the API key.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { inPage } from "../bundlers.js";
import { findFreePort, start } from "../programs.js";
import { createApp } from "../workspace.js";
import { key, received, recorderAddress, startApi } from "./api.js";
import { sessionsPath } from "./cases.js";

/** Defines the tests. */
export function viteProxy() {
  describe("Vite's development server as a proxy", () => {
    test("lets a page create a session and load its model", assertForwardsSession);
  });
}

async function assertForwardsSession() {
  const path = createApp("vite-proxy");
  cpSync("examples/proxy/vite.config.js", join(path, "vite.config.js"));
  const port = String(await findFreePort());
  const flags = ["--host", "127.0.0.1", "--port", port, "--strictPort"];
  const env = { API_KEY: key, UPSTREAM: await recorderAddress() };
  const vite = await start("vite", flags, /ready in/, { cwd: path, env });
  const address = `http://127.0.0.1:${port}`;
  const stopApi = await startApi(`${address}/api`);
  received.length = 0;
  const { session, headers, model } = await inPage(`${address}/?server=/api`, async (page) => {
    await page.waitForFunction("globalThis.result", undefined, { timeout: 60_000 });
    return page.evaluate(async (sessionsPath) => {
      const { code } = await /** @type {any} */ (globalThis).result;
      for (;;) {
        const response = await fetch(`/api${sessionsPath}/${code}`);
        const { data: session } = await response.json();
        if (!session.preview_mesh_url_glb) continue;
        const model = await (await fetch(session.preview_mesh_url_glb)).text();
        return { session, headers: [...response.headers], model: model.slice(0, 4) };
      }
    }, sessionsPath);
  });
  assert.equal(model, "glTF");
  assert.ok(session.preview_mesh_url_glb.startsWith(`${address}/api/files/`));
  assert.doesNotMatch(JSON.stringify([session, headers]), new RegExp(key));
  for (const { headers } of received) assert.equal(headers["x-api-key"], key);
  stopApi();
  vite.stop();
}
