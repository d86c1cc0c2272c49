// The app that every consumer builds and runs.

import { createSession, ImageTo3dError, stageOf } from "./library.js";
import { createModel } from "./model.js";
import { png } from "./image.js";

/**
 * Creates a session from a file that is not an image, which fails, then from an image. With a sandbox
 * it also creates a model.
 *
 * @param {string} server
 */
export async function app(server) {
  const create = (/** @type {BlobPart} */ part) =>
    createSession({
      image: new File([part], "image.png"),
      creativity: "highest",
      baseUrl: server,
    });
  const rejection = await create("not an image").catch((error) => error);
  const session = await create(png());
  return {
    rejected: rejection instanceof ImageTo3dError && rejection.kind,
    code: session.session_code,
    creativity: session.creativity,
    stage: stageOf(session),
    model: await createModel(),
  };
}
