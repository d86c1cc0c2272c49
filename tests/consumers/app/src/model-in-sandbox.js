import { createSession, downloadModel, waitForSession } from "./library.js";
import { png } from "./image.js";
import { createSandbox } from "./sandbox.js";

/** Creates a model in a sandbox, and returns the first letters of its file. */
export async function createModel() {
  const { fetch, reset } = createSandbox({ speed: 50 });
  const { session_code } = await createSession({ image: png(), fetch });
  const session = await waitForSession(session_code, { fetch, interval: 50 });
  const file = await downloadModel(session, { fetch });
  // Some runtimes do not exit while a worker runs.
  await reset();
  return (await file.text()).slice(0, 4);
}
