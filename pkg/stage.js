// The one place that knows the statuses of the API's two eras.

/** @import { Session, Stage } from "./index.js" */

/** @type {Record<string, Stage>} */
const documented = {
  spin_generate_processing: { stage: "spin", state: "running" },
  spin_generate_done: { stage: "spin", state: "done" },
  spin_generate_failed: { stage: "spin", state: "failed" },
  training_preview: { stage: "preview", state: "running" },
  preview_done: { stage: "preview", state: "done" },
  preview_failed: { stage: "preview", state: "failed" },
  training_refine: { stage: "refine", state: "running" },
  refine_done: { stage: "refine", state: "done" },
  refine_failed: { stage: "refine", state: "failed" },
};

/** @type {Record<string, Stage["state"]>} */
const later = {
  queued: "running",
  incomplete: "running",
  in_progress: "running",
  complete: "done",
  failed: "failed",
};

/**
 * The older `status` says it exactly; the newer `session_status` says it where there is no
 * `status`, or one that is not documented. A failure counts wherever it is said.
 *
 * @param {Partial<Session>} session
 * @returns {Stage}
 */
export function stageOf(session) {
  const { percent_done: percent } = session;
  const stage = { ...fromStatus(session) };
  const state = later[String(session.session_status)];
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
  if (Object.hasOwn(documented, status)) {
    return documented[status];
  }
  const state = /_failed$/.test(status) ? "failed" : "unknown";
  for (const [stage, word, field] of /** @type {const} */ ([
    ["refine", /refine/, "mesh_url"],
    ["preview", /preview/, "preview_mesh_url"],
  ])) {
    if (word.test(status) || Object.keys(session).some((name) => has(session, name, field))) {
      return { stage, state };
    }
  }
  return { stage: "spin", state };
}

/**
 * Whether a field is one of a model's URLs, and filled.
 *
 * @param {Record<string, unknown>} session
 * @param {string} name
 * @param {string} field
 */
function has(session, name, field) {
  return (name === field || name.startsWith(`${field}_`)) && Boolean(session[name]);
}
