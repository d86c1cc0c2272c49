import { app } from "./app.js";

self.onmessage = async ({ data: server }) => {
  self.postMessage(await app(server).catch(String));
};
