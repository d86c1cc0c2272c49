import { load } from "csm-image-to-3d/external";

import { app } from "./app.js";

const parameters = new URLSearchParams(location.search);
const result = load(parameters.get("wasm") ?? "").then(() => app(parameters.get("server") ?? ""));
Object.assign(globalThis, { result });
