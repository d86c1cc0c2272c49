// Copies the proxy of ../proxy into the app. In an app of your own, copy the two files once.

import { cpSync } from "node:fs";

for (const name of ["route.js", "worker.js"]) {
  cpSync(`../proxy/${name}`, `app/api/[...path]/${name}`);
}
