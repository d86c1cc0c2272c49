// The session that the page shows: status, progress, timeline, views and downloads.

import { stageOf } from "./pkg/index.js";
import { button, element, find } from "./dom.js";

/** @import { ModelFormat, Session, StageName } from "./pkg/index.js" */

/** @type {[StageName, string][]} */
const stageLabels = [
  ["spins", "Views"],
  ["preview", "Preview"],
  ["refine", "Refinement"],
];

/**
 * When each stage started and was last updated (`performance.now()`).
 *
 * @type {Map<StageName, { started: number, updated: number, state: string }>}
 */
const timeline = new Map();

/** When the session was last updated or resumed (`performance.now()`); 0 without a session. */
let lastUpdate = 0;

/** Starts the time of the next stage now, when the user resumes a session. */
export function resumeTimeline() {
  lastUpdate = performance.now();
}

/**
 * Shows a status message, after the session's code if there is one.
 *
 * @param {string} message
 * @param {{ code?: string, failed?: boolean }} [options]
 */
export function setStatus(message, { code, failed = false } = {}) {
  const status = find("session-status");
  status.classList.toggle("failed", failed);
  status.replaceChildren(
    ...(code ? ["Session ", element("strong", {}, code), ": "] : []),
    element("span", {}, message),
  );
}

/**
 * Shows the progress bar.
 *
 * @param {number} [fraction] from 0 to 1; without it the bar is indeterminate
 */
export function setProgress(fraction) {
  const progress = /** @type {HTMLProgressElement} */ (find("progress"));
  progress.hidden = false;
  if (fraction === undefined) {
    progress.removeAttribute("value");
  } else {
    progress.value = fraction;
  }
}

/** Clears the session that is shown, except for its status message. */
export function clearResult() {
  timeline.clear();
  lastUpdate = 0;
  for (const id of ["timeline", "choices", "downloads"]) {
    find(id).replaceChildren();
  }
  find("session-details").hidden = true;
  find("engine").hidden = true;
}

/**
 * Shows a session.
 *
 * @param {Session} session
 * @param {{
 *   download: (format: ModelFormat) => void,
 *   refine: () => void,
 *   selectSpin: (index: number) => void,
 * }} actions
 */
export function renderResult(session, actions) {
  const { stage, state, percent } = stageOf(session);
  recordStage(stage, state);
  const status = describeStatus(session.status, percent);
  setStatus(status, { code: session.session_code, failed: state === "failed" });
  renderTimeline();
  if (state === "running" || state === "unknown") {
    setProgress(percent === undefined ? undefined : percent / 100);
  }
  renderEngine(session);

  const hasSpins = stage === "spins" && state === "done";
  const spins = hasSpins && Array.isArray(session.spins) ? session.spins : [];
  // The server may send anything; an index is that of the server's list.
  const views = spins.flatMap((spin, index) => {
    const url = spin?.image_url;
    return typeof url === "string" ? [{ url, index }] : [];
  });
  find("choices").replaceChildren(
    ...(views.length ? [element("p", {}, "Choose the front of the model:")] : []),
    ...views.map(({ url, index }) => {
      const image = element("img", { src: url, alt: "" });
      const ariaLabel = `Use view ${index + 1} as the front`;
      const onclick = () => actions.selectSpin(index);
      return element("button", { type: "button", ariaLabel, onclick }, image);
    }),
  );
  find("downloads").replaceChildren(
    ...[...availableFormats(session)].map((format) =>
      button(`Download ${format.toUpperCase()}`, () => actions.download(format)),
    ),
    ...(stage === "preview" && state === "done" ? [button("Refine", actions.refine)] : []),
  );
  find("json").textContent = JSON.stringify(session, null, 2);
  find("session-details").hidden = false;
}

/**
 * Returns the formats in which the session's models are available.
 *
 * @param {Session} session
 */
function availableFormats(session) {
  const urls = Object.entries(session).filter(([, url]) => url);
  const formats = urls.map(([name]) => name.match(/^(?:preview_)?mesh_url_(\w+)$/)?.[1]);
  return /** @type {Set<ModelFormat>} */ (new Set(formats.filter((format) => format)));
}

/**
 * Shows the session's engine, the kind of shape that it made, what it waits for, and the parameters
 * that it does not support. Only this project's servers report these.
 *
 * @param {Session} session
 */
function renderEngine({ engine, engine_status: engineStatus, shape, unsupported }) {
  const paragraph = find("engine");
  paragraph.hidden = typeof engine !== "string";
  const parts = [`Engine: ${engine}`];
  if (typeof shape === "string") {
    parts.push(`shape: ${shape}`);
  }
  if (typeof engineStatus === "string") {
    parts.push(engineStatus);
  }
  if (Array.isArray(unsupported) && unsupported.length > 0) {
    parts.push(`not supported: ${unsupported.join(", ")}`);
  }
  paragraph.textContent = parts.join("; ");
}

/**
 * @param {string} status
 * @param {number | undefined} percent
 */
function describeStatus(status, percent) {
  return percent === undefined || percent === 100 ? status : `${status}, ${percent} %`;
}

/**
 * Updates the timeline. Polls see a session only at intervals, so a stage starts at the previous
 * update, and a stage that no poll saw has no time.
 *
 * @param {StageName} stage
 * @param {string} state
 */
function recordStage(stage, state) {
  const now = performance.now();
  const entry = timeline.get(stage);
  if (entry?.state !== "done") {
    timeline.set(stage, { started: entry?.started ?? (lastUpdate || now), updated: now, state });
  }
  for (const [name, other] of timeline) {
    if (name !== stage && other.state === "running") {
      other.state = "done";
    }
  }
  lastUpdate = now;
}

function renderTimeline() {
  find("timeline").replaceChildren(
    ...stageLabels.flatMap(([name, label]) => {
      const entry = timeline.get(name);
      if (!entry) {
        return [];
      }
      const { started, updated, state } = entry;
      const duration = formatDuration(updated - started);
      const time = element("time", {}, state === "done" ? duration : state);
      const item = element("li", {}, label, " ", time);
      item.dataset.state = state;
      return [item];
    }),
  );
}

/**
 * Formats a duration. A stage that started and ended between two polls has no measurable duration,
 * only the interval between polls as an upper bound.
 *
 * @param {number} milliseconds
 */
function formatDuration(milliseconds) {
  return milliseconds < 50 ? "< 0.5 s" : `${(milliseconds / 1000).toFixed(1)} s`;
}
