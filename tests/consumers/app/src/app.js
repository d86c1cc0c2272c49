// What every consumer does, whatever it was built with and wherever it runs.

import { createSession, ImageTo3dError, stageOf } from "./library.js";
import { model } from "./model.js";
import { png } from "./picture.js";

/**
 * Is refused what is no picture, then makes a session of one, and where there is a sandbox a model.
 *
 * @param {string} server
 */
export async function app(server) {
  const create = (/** @type {BlobPart} */ part) =>
    createSession({
      image: new File([part], "picture.png"),
      creativity: "highest",
      baseUrl: server,
    });
  const refusal = await create("no picture").catch((error) => error);
  const session = await create(png());
  return {
    refused: refusal instanceof ImageTo3dError && refusal.kind,
    code: session.session_code,
    creativity: session.creativity,
    stage: stageOf(session),
    model: await model(),
  };
}
