// Models made in the page.

/**
 * Makes one as the sandbox's worker does, in a worker of its own that says what it took.
 *
 * @param {{ picture: string, parameters: object }} what `picture`: its address
 * @returns {Promise<{ milliseconds: number, before: number, after: number }>} the WebAssembly's
 *   memory in bytes when the picture had been received, and when the model was made
 */
export async function sculpt(what) {
  const worker = new Worker("/sculpt-worker.js", { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(what);
    });
  } finally {
    worker.terminate();
  }
}

/**
 * A picture to a model in one call, in the page alone.
 *
 * @param {File} image
 */
export async function imageTo3d(image) {
  const [library, inside] = ["/pkg/index.js", "/pkg/sandbox.js"];
  const { imageTo3d } = await import(library);
  const { createSandbox } = await import(inside);
  const sandbox = createSandbox({ speed: 1000 });
  const session = await imageTo3d({
    image,
    generate_texture: true,
    texture_resolution: 1024,
    resolution: "high_poly",
    fetch: sandbox.fetch,
    interval: 50,
  });
  const model = await (await fetch(session.preview_mesh_url_glb)).blob();
  await sandbox.reset();
  return model.size;
}
