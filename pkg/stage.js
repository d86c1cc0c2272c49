// Maps the statuses of both versions of the API to stages.

/** @import { Session, Stage } from "./index.js" */

/**
 * By `status`, which the older version of the API has.
 *
 * @type {Record<string, Stage>}
 */
const STAGES = {
  spin_generate_processing: { stage: "spins", state: "running" },
  spin_generate_done: { stage: "spins", state: "done" },
  spin_generate_failed: { stage: "spins", state: "failed" },
  training_preview: { stage: "preview", state: "running" },
  preview_done: { stage: "preview", state: "done" },
  preview_failed: { stage: "preview", state: "failed" },
  training_refine: { stage: "refine", state: "running" },
  refine_done: { stage: "refine", state: "done" },
  refine_failed: { stage: "refine", state: "failed" },
};

/**
 * By `session_status`, which the newer version of the API has.
 *
 * @type {Record<string, Stage["state"]>}
 */
const STATES = {
  queued: "running",
  incomplete: "running",
  in_progress: "running",
  complete: "done",
  failed: "failed",
};

/**
 * Prefers `status`, which is more precise. `session_status` decides if `status` is missing or not
 * documented. A failure in either counts.
 *
 * @param {Partial<Session>} session
 * @returns {Stage}
 */
export function stageOf(session) {
  const { percent_done: percent } = session;
  const stage = { ...fromStatus(session) };
  const state = STATES[String(session.session_status)];
  if (state === "failed" || (stage.state === "unknown" && state)) {
    stage.state = state;
  }
  return typeof percent === "number" ? { ...stage, percent } : stage;
}

/**
 * @param {Partial<Session>} session
 * @returns {Stage}
 */
function fromStatus(session) {
  const { status = "" } = session;
  if (Object.hasOwn(STAGES, status)) {
    return STAGES[status];
  }
  const state = /_failed$/.test(status) ? "failed" : "unknown";
  for (const [stage, pattern, field] of /** @type {const} */ ([
    ["refine", /refine/, "mesh_url"],
    ["preview", /preview/, "preview_mesh_url"],
  ])) {
    if (pattern.test(status) || hasUrl(session, field)) {
      return { stage, state };
    }
  }
  return { stage: "spins", state };
}

/**
 * Returns whether a session has a model's URL in any format: in `field` or in `field_<format>`.
 *
 * @param {Record<string, unknown>} session
 * @param {string} field
 */
function hasUrl(session, field) {
  return Object.entries(session).some(
    ([name, url]) => (name === field || name.startsWith(`${field}_`)) && Boolean(url),
  );
}
