import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { load } from "csm-image-to-3d/external";

const folder = join(dirname(fileURLToPath(import.meta.resolve("csm-image-to-3d"))), "wasm");
const name = (await readdir(folder)).find((name) => name.endsWith(".wasm"));
await load(await readFile(join(folder, String(name))));
await import("./in-terminal.js");
