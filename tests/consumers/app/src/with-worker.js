const worker = new Worker(new URL("./in-worker.js", import.meta.url), { type: "module" });
const result = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});
worker.postMessage(new URLSearchParams(location.search).get("server"));
Object.assign(globalThis, { result });
