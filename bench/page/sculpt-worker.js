// The sandbox's WebAssembly in a worker, by hand: so its memory can be looked at.

onmessage = async ({ data }) => {
  try {
    postMessage(await measured(data));
  } catch (error) {
    postMessage({ error: String(error) });
  }
};

/** @param {{ picture: string, parameters: object }} what */
async function measured({ picture, parameters }) {
  const [glue, inlined] = ["/pkg/wasm/sandbox.js", "/pkg/wasm/sandbox_inlined.js"];
  const { Api, initSync } = await import(glue);
  const { base64 } = await import(inlined);
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const { memory } = initSync({ module: await WebAssembly.compile(bytes) });
  const api = new Api(1000, 0, Date.now());

  const headers = ["content-type", "application/json", "host", "sandbox.invalid"];
  const answer = api.handle(
    "POST",
    "/image-to-3d-sessions",
    headers,
    await body(picture, parameters),
    Date.now(),
  );
  if (answer.status >= 300) throw new Error(new TextDecoder().decode(answer.intoBody()));
  const before = memory.buffer.byteLength;
  let milliseconds = 0;
  // Until the preview is made: the last of the jobs.
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
 * @param {string} picture
 * @param {object} parameters
 */
async function body(picture, parameters) {
  const file = await (await fetch(picture)).blob();
  /** @type {string} */
  const image_url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.readAsDataURL(file);
  });
  return new TextEncoder().encode(JSON.stringify({ ...parameters, image_url }));
}
