// Builds models in the page.

/**
 * Builds a model in a worker that measures itself.
 *
 * @param {{ image: string, parameters: object }} task `image`: its URL
 * @returns {Promise<{ milliseconds: number, before: number, after: number }>} the WebAssembly memory
 *   in bytes after the image was received, and after the model was built
 */
export async function sculpt(task) {
  const worker = new Worker("/sculpt-worker.js", { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(task);
    });
  } finally {
    worker.terminate();
  }
}

/**
 * Creates a session with the in-page sandbox, waits for its preview, and returns the size of the model in bytes.
 *
 * @param {File} image
 * @param {object} [extra] parameters of the request
 */
export async function imageTo3d(image, extra = {}) {
  const [libraryUrl, sandboxUrl] = ["/pkg/index.js", "/pkg/sandbox.js"];
  const { createSession, getSession } = await import(libraryUrl);
  const { createSandbox } = await import(sandboxUrl);
  const sandbox = createSandbox({ speed: 1000 });
  // Polled regularly: the intervals of `imageTo3d` grow, and would show in the result.
  let session = await createSession({
    image,
    generate_texture: true,
    texture_resolution: 1024,
    resolution: "high_poly",
    fetch: sandbox.fetch,
    extra,
  });
  while (!session.preview_mesh_url_glb) {
    if (session.error) throw new Error(session.error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    session = await getSession(session.session_code, { fetch: sandbox.fetch });
  }
  const model = await (await fetch(session.preview_mesh_url_glb)).blob();
  await sandbox.reset();
  return model.size;
}
