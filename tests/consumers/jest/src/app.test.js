import { writeFileSync } from "node:fs";
import { env } from "node:process";

import { app } from "./app.js";

// In a file, because Jest formats what a test prints.
test("creates a session and a model", async () => {
  writeFileSync("result.json", JSON.stringify(await app(env.SERVER)));
}, 60_000);
