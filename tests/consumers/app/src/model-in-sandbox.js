import { createSession, downloadModel, waitForSession } from "./library.js";
import { png } from "./picture.js";
import { createSandbox } from "./sandbox.js";

/** Makes a model in a sandbox: its first letters. */
export async function model() {
  const { fetch, reset } = createSandbox({ speed: 50 });
  const { session_code } = await createSession({ image: png(), fetch });
  const session = await waitForSession(session_code, { fetch, interval: 50 });
  const file = await downloadModel(session, { fetch });
  // Its worker would keep some runtimes going.
  await reset();
  return (await file.text()).slice(0, 4);
}
