import { app } from "./app.js";

const server = new URLSearchParams(location.search).get("server") ?? "";
Object.assign(globalThis, { result: app(server) });
