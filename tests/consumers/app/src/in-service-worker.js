import { app } from "./app.js";

self.addEventListener("message", (/** @type {any} */ event) => {
  const respond = async () => event.ports[0].postMessage(await app(event.data).catch(String));
  event.waitUntil(respond());
});
