const parameters = new URLSearchParams(location.search);

async function runInServiceWorker() {
  const script = parameters.get("worker") ?? "";
  const registration = await navigator.serviceWorker.register(script, { type: "module" });
  const { port1, port2 } = new MessageChannel();
  const response = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  const worker = registration.installing ?? registration.active;
  worker?.postMessage(parameters.get("server"), [port2]);
  return response;
}

Object.assign(globalThis, { result: runInServiceWorker() });
