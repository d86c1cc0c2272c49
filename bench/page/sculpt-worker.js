// Runs the sandbox's WebAssembly directly in a worker, so that its memory can be measured.

onmessage = async ({ data }) => {
  try {
    postMessage(await measure(data));
  } catch (error) {
    postMessage({ error: String(error) });
  }
};

/** @param {{ image: string, parameters: object }} task */
async function measure({ image, parameters }) {
  const [glue, inlined] = ["/pkg/wasm/sandbox.js", "/pkg/wasm/sandbox_inlined.js"];
  const { Api, initSync } = await import(glue);
  const { base64 } = await import(inlined);
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const { memory } = initSync({ module: await WebAssembly.compile(bytes) });
  const api = new Api(1000, 0, Date.now());

  const headers = ["content-type", "application/json", "host", "sandbox.invalid"];
  const response = api.handle(
    "POST",
    "/image-to-3d-sessions",
    headers,
    await createBody(image, parameters),
    Date.now(),
  );
  if (response.status >= 300) throw new Error(new TextDecoder().decode(response.intoBody()));
  const before = memory.buffer.byteLength;
  let milliseconds = 0;
  // Runs all jobs; the last one builds the preview.
  for (let due; (due = api.nextDue(Date.now())) !== undefined;) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())));
    const job = api.nextJob(Date.now());
    if (!job) continue;
    const started = performance.now();
    api.runJob(job);
    milliseconds += performance.now() - started;
  }
  return { milliseconds, before, after: memory.buffer.byteLength };
}

/**
 * Returns the body of a create request.
 *
 * @param {string} image its URL
 * @param {object} parameters
 */
async function createBody(image, parameters) {
  const file = await (await fetch(image)).blob();
  /** @type {string} */
  const image_url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.readAsDataURL(file);
  });
  return new TextEncoder().encode(JSON.stringify({ ...parameters, image_url }));
}
