import { env } from "node:process";

import { app } from "./app.js";

console.log(JSON.stringify(await app(env.SERVER ?? "")));
