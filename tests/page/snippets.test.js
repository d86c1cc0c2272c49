// The curl command of the page, run by a shell.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { curlSnippet } from "../../www/snippets.js";

/**
 * Runs the snippet with a `curl` that prints its first argument and what it would send.
 *
 * @param {string} engine
 * @param {string} name the image's name
 * @param {string} endpoint
 */
function run(engine, name, endpoint) {
  const folder = mkdtempSync(join(tmpdir(), "snippet-"));
  try {
    writeFileSync(join(folder, name), "picture");
    const request = { endpoint, parameters: {}, engine, hasApiKey: false };
    const snippet = curlSnippet(request, { name, type: "image/png" });
    const script = `curl() { printf '%s\\n' "$1"; cat; }\n${snippet}`;
    const stdout = execFileSync("sh", ["-c", script], { cwd: folder, encoding: "utf8" });
    assert.deepEqual(readdirSync(folder), [name], snippet);
    const [url, body] = stdout.split(/\n([^]*)/);
    return { url, body: JSON.parse(body) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [title, text] of Object.entries({
  "a command in single quotes": "x'; touch pwned; '",
  "a command substitution": "$(touch pwned)`touch pwned`",
  "a double quote": 'a"b',
  "a backslash and a percent sign": "a\\n%s",
})) {
  test(`the curl command sends ${title} unchanged`, () => {
    const { url, body } = run(text, "it's $(touch pwned).png", "http://127.0.0.1:8787/o'clock");
    assert.equal(url, "http://127.0.0.1:8787/o'clock/image-to-3d-sessions");
    assert.equal(body.engine, text);
    const image = `data:image/png;base64,${Buffer.from("picture").toString("base64")}`;
    assert.equal(body.image_url, image);
  });
}
