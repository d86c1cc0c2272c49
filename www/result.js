// What the page shows of a session.

import { stageOf } from "./pkg/index.js";
import { button, element, find } from "./dom.js";

/** @import { ModelFormat, Session, StageName } from "./pkg/index.js" */

/** @type {[StageName, string][]} */
const stages = [
  ["spin", "Views"],
  ["preview", "Preview"],
  ["refine", "Refinement"],
];

/**
 * When each stage was first and last seen, in milliseconds; the newest stands last.
 *
 * @type {Map<StageName, { from: number, to: number, state: string }>}
 */
const times = new Map();

/** When the session was last looked at, or asked to go on, in milliseconds. */
let lastLook = 0;

/** The session was asked to go on: what it does next begins now. */
export function goOn() {
  lastLook = performance.now();
}

/**
 * Says how it stands, always with the session's code where there is one.
 *
 * @param {string} text
 * @param {{ code?: string, failed?: boolean }} [about]
 */
export function say(text, { code, failed = false } = {}) {
  const outcome = find("outcome");
  outcome.classList.toggle("failed", failed);
  outcome.replaceChildren(
    ...(code ? ["Session ", element("strong", {}, code), ": "] : []),
    element("span", {}, text),
  );
}

/**
 * Shows how far something is, from 0 to 1, or that it goes on where nobody knows.
 *
 * @param {number} [share]
 */
export function showProgress(share) {
  const progress = /** @type {HTMLProgressElement} */ (find("progress"));
  progress.hidden = false;
  if (share === undefined) {
    progress.removeAttribute("value");
  } else {
    progress.value = share;
  }
}

/** Forgets the session that was shown. */
export function clear() {
  times.clear();
  lastLook = 0;
  for (const id of ["timeline", "choices", "downloads"]) {
    find(id).replaceChildren();
  }
  find("raw").hidden = true;
  find("engine").hidden = true;
}

/**
 * Shows a session as it is now.
 *
 * @param {Session} session
 * @param {{
 *   download: (format: ModelFormat) => void,
 *   refine: () => void,
 *   choose: (spin: number) => void,
 * }} actions
 */
export function show(session, actions) {
  const { stage, state, percent } = stageOf(session);
  note(stage, state);
  say(words(session.status, percent), { code: session.session_code, failed: state === "failed" });
  showTimeline();
  if (state === "running" || state === "unknown") {
    showProgress(percent === undefined ? undefined : percent / 100);
  }
  showEngine(session);

  const chooses = stage === "spin" && state === "done";
  const spins = chooses && Array.isArray(session.spins) ? session.spins : [];
  find("choices").replaceChildren(
    ...(spins.length ? [element("p", {}, "Choose the view to make the model from:")] : []),
    ...spins.map(({ image_url }, index) => {
      const image = element("img", { src: image_url, alt: "" });
      const ariaLabel = `Make the model from view ${index + 1}`;
      const onclick = () => actions.choose(index);
      return element("button", { type: "button", ariaLabel, onclick }, image);
    }),
  );
  find("downloads").replaceChildren(
    ...[...formats(session)].map((format) =>
      button(`Download ${format.toUpperCase()}`, () => actions.download(format)),
    ),
    ...(stage === "preview" && state === "done" ? [button("Refine", actions.refine)] : []),
  );
  find("json").textContent = JSON.stringify(session, null, 2);
  find("raw").hidden = false;
}

/**
 * The formats that the session's models are in.
 *
 * @param {Session} session
 */
function formats(session) {
  const fields = Object.entries(session).filter(([, url]) => url);
  const found = fields.map(([name]) => name.match(/^(?:preview_)?mesh_url_(\w+)$/)?.[1]);
  return /** @type {Set<ModelFormat>} */ (new Set(found.filter((format) => format !== undefined)));
}

/**
 * Says who makes the model, what is waited for, and what could not be honoured, where the server
 * says so.
 *
 * @param {Session} session
 */
function showEngine({ engine, engine_status: waits, unsupported }) {
  const shown = find("engine");
  shown.hidden = typeof engine !== "string";
  const parts = [`Engine: ${engine}`];
  if (typeof waits === "string") {
    parts.push(waits);
  }
  if (Array.isArray(unsupported) && unsupported.length > 0) {
    parts.push(`not honoured: ${unsupported.join(", ")}`);
  }
  shown.textContent = parts.join("; ");
}

/**
 * @param {string} status
 * @param {number | undefined} percent
 */
function words(status, percent) {
  return percent === undefined || percent === 100 ? status : `${status}, ${percent} %`;
}

/**
 * What is seen is seen at intervals: a stage begins, at the latest, when the one before it was last
 * seen, and one that was never seen has no time.
 *
 * @param {StageName} stage
 * @param {string} state
 */
function note(stage, state) {
  const now = performance.now();
  const seen = times.get(stage);
  if (seen?.state !== "done") {
    times.set(stage, { from: seen?.from ?? (lastLook || now), to: now, state });
  }
  for (const [name, time] of times) {
    if (name !== stage && time.state === "running") {
      time.state = "done";
    }
  }
  lastLook = now;
}

function showTimeline() {
  find("timeline").replaceChildren(
    ...stages.flatMap(([name, label]) => {
      const seen = times.get(name);
      if (!seen) {
        return [];
      }
      const took = seconds(seen.to - seen.from);
      const time = element("time", {}, seen.state === "done" ? took : seen.state);
      const item = element("li", {}, label, " ", time);
      item.dataset.state = seen.state;
      return [item];
    }),
  );
}

/**
 * A stage that was over between two looks took less than lies between them.
 *
 * @param {number} milliseconds
 */
function seconds(milliseconds) {
  return milliseconds < 50 ? "< 0.5 s" : `${(milliseconds / 1000).toFixed(1)} s`;
}
