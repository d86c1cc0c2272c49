import type { Session, Stage } from "./wasm/csm_image_to_3d.js";

/**
 * Returns the stage and the state of a session from its `status`, `session_status` and
 * `percent_done`, for both versions of the API. Sends no request.
 *
 * @param session The session, as any function of this library returns it.
 * @returns The stage with its state, which is `"unknown"` for a status that is not documented, and
 * with `percent` if the session has `percent_done`.
 *
 * @example
 * const { stage, state, percent } = stageOf(session);
 * if (state === "failed") alert(`The ${stage} failed.`);
 */
export function stageOf(session: Partial<Session>): Stage;
