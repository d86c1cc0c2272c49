// The examples that are not web apps: programs in other languages, and tests.

import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { server } from "../support/browsers.js";
import { run } from "./programs.js";
import { consumer } from "./report.js";
import { copyExample, root } from "./workspace.js";

const image = resolve("www/samples/turtle.webp");

/** Defines the tests. */
export function scripts() {
  script("Python", ["python3", "examples/python/model.py"]);
  script("curl", ["sh", "examples/curl/model.sh"]);
  consumer("example: Jest", "jest", async () => {
    // Its tests read an image of the repository.
    const cwd = copyExample("jest", join(root, "repository/examples/jest"));
    cpSync("www/samples", join(root, "repository/www/samples"), { recursive: true });
    await run("npm", ["test", "--", "--cacheDirectory=cache"], { cwd });
  });
}

/**
 * Tests a program that makes a model of an image.
 *
 * @param {string} name
 * @param {[string, string]} command
 */
function script(name, [program, file]) {
  consumer(`example: ${name}`, `${program} ${file}`, async () => {
    const model = join(root, `${name}.glb`);
    const env = { API: server, API_KEY: undefined };
    const output = await run(program, [resolve(file), image, model], { env });
    assert.match(output, /SESSION_\d+_\d+ saved as/);
    assert.equal(readFileSync(model, "latin1").slice(0, 4), "glTF");

    await assert.rejects(run(program, [resolve(file), resolve("package.json"), model], { env }), {
      message: /exited with [^0].*image_url/s,
    });
  });
}
