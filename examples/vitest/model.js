// An app that creates a model of an image and reports its status to the user.

import { ImageTo3dError, imageTo3d, stageOf } from "csm-image-to-3d";

/**
 * Creates a model.
 *
 * @param {Blob} image
 * @param {object} app
 * @param {(message: string) => void} app.setStatus shows a message to the user
 * @param {AbortSignal} [app.signal] aborted when the user cancels
 * @param {import("csm-image-to-3d").WaitOptions} [app.api] how to reach the API; a test passes the
 *   sandbox here
 * @returns {Promise<string | undefined>} the model's URL, or `undefined` without a model
 */
export async function createModel(image, { setStatus, signal, api = { baseUrl: "/api" } }) {
  try {
    const session = await imageTo3d({
      image,
      generate_texture: true,
      signal,
      ...api,
      onUpdate: (session) => setStatus(`${stageOf(session).stage}…`),
    });
    setStatus("Done.");
    return session.preview_mesh_url_glb;
  } catch (error) {
    if (signal?.aborted) {
      setStatus("Cancelled.");
    } else if (error instanceof ImageTo3dError) {
      setStatus(error.userMessage);
    } else {
      throw error;
    }
    return undefined;
  }
}
