import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { ImageTo3dError, load } from "csm-image-to-3d/external";

const folder = join(dirname(fileURLToPath(import.meta.resolve("csm-image-to-3d"))), "wasm");
const name = (await readdir(folder)).find((name) => /^csm_.*\.wasm$/.test(name));
// A failed load rejects, and can be tried again.
await assert.rejects(load(new Uint8Array(8)), ImageTo3dError);
await load(await readFile(join(folder, String(name))));
await import("./in-terminal.js");
