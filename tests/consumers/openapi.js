// Clients that are generated from the server's `/openapi.json`.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";

import { server } from "../support/browsers.js";
import { run } from "./programs.js";
import { consumer } from "./report.js";
import { root } from "./workspace.js";

const sources = "tests/consumers/openapi";
const image = resolve("www/samples/turtle.webp");

/** Defines the tests. */
export function generatedClients() {
  consumer("client of openapi-typescript", "openapi-fetch with TypeScript 5", async () => {
    const cwd = join(root, "openapi");
    cpSync(sources, cwd, { recursive: true });
    await run("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd });
    const tool = (/** @type {string} */ name) => join(cwd, "node_modules/.bin", name);
    await run(tool("openapi-typescript"), [`${server}/openapi.json`, "--output", "api.ts"], {
      cwd,
    });
    await run(tool("tsc"), [], { cwd });
    const output = await run("node", ["built/client.js", server, image], { cwd });
    await assertModel(
      output,
      /^Invalid creativity "high": expected "highest", "moderate" or "lowest"$/,
    );
  });
  consumer("client of openapi-python-client", "python3 client.py", async () => {
    const cwd = join(root, "openapi-python");
    cpSync(sources, cwd, { recursive: true });
    await run("python3", ["-m", "venv", "venv"], { cwd });
    const python = join(cwd, "venv/bin/python3");
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run(python, [...install, "--requirement", "requirements.txt"], { cwd });
    const generator = join(cwd, "venv/bin/openapi-python-client");
    const config = ["--meta", "none", "--config", "python-client.yaml", "--fail-on-warning"];
    const url = `${server}/openapi.json`;
    await run(generator, ["generate", "--url", url, "--output-path", "client", ...config], { cwd });
    const output = await run(python, ["client.py", server, image], { cwd });
    await assertModel(output, /^400 Invalid image_url "hello": /);
  });
}

/**
 * Checks the output of a client: the URL of a model, and a message about another request.
 *
 * @param {string} output
 * @param {RegExp} expected
 */
async function assertModel(output, expected) {
  const [url, message] = output.trim().split("\n");
  const response = await fetch(url);
  assert.equal(response.headers.get("content-type"), "model/gltf-binary");
  const model = Buffer.from(await response.arrayBuffer());
  assert.equal(model.subarray(0, 4).toString(), "glTF");
  assert.match(message, expected);
}
