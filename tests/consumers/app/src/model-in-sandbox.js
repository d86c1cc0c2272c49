import { cutoutFiles } from "./cutout-files.js";
import { createSession, downloadModel, waitForSession } from "./library.js";
import { png } from "./image.js";
import { createSandbox } from "./sandbox.js";

/** Creates a model in a sandbox. Returns the first letters of its file, and how it was cut out. */
export async function createModel() {
  const { fetch, reset } = createSandbox({ speed: 50, cutoutFiles });
  const { session_code } = await createSession({ image: png(), fetch });
  const session = await waitForSession(session_code, { fetch, interval: 50 });
  const file = await downloadModel(session, { fetch });
  // Some runtimes do not exit while a worker runs.
  await reset();
  return { start: (await file.text()).slice(0, 4), cutout: session.cutout?.method };
}
