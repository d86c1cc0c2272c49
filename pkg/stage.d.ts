import type { Session, Stage } from "./wasm/csm_image_to_3d.js";

/**
 * How far a session is, whatever era of the API it comes from: the one place that knows `status`,
 * `session_status` and `percent_done`. It is read from the session alone, at once.
 *
 * @example
 * const { stage, state, percent } = stageOf(session);
 * if (state === "failed") alert(`The ${stage} failed.`);
 */
export function stageOf(session: Partial<Session>): Stage;
