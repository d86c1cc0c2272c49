// An app: it makes a model of a picture, and tells its user how that goes.

import { ImageTo3dError, imageTo3d, stageOf } from "csm-image-to-3d";

/**
 * @param {Blob} image
 * @param {object} app
 * @param {(words: string) => void} app.say shows words to the user
 * @param {AbortSignal} [app.signal] the user's "Cancel"
 * @param {import("csm-image-to-3d").WaitOptions} [app.api] where the API is; a test puts the
 *   sandbox here
 * @returns {Promise<string | undefined>} the model's address, where there is a model
 */
export async function makeModel(image, { say, signal, api = { baseUrl: "/api" } }) {
  try {
    const session = await imageTo3d({
      image,
      generate_texture: true,
      signal,
      ...api,
      onUpdate: (session) => say(`${stageOf(session).stage} …`),
    });
    say("Here it is.");
    return session.preview_mesh_url_glb;
  } catch (error) {
    if (signal?.aborted) {
      say("Cancelled.");
    } else if (error instanceof ImageTo3dError && error.kind === "session_failed") {
      say(`There is no model of this picture: ${error.session?.error}`);
    } else if (error instanceof ImageTo3dError && error.kind === "payment_required") {
      say("No credits are left.");
    } else {
      throw error;
    }
  }
}
