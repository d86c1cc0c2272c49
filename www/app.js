// The demo page: connects its controls to the library.

import {
  ImageTo3dError,
  downloadModel,
  getSession,
  imageTo3d,
  requestPreview,
  requestRefine,
  waitForSession,
} from "./pkg/index.js";
import { button, element, find } from "./dom.js";
import { connectionOptions, hasApiKey, initEndpoint, selectedEndpoint } from "./endpoint.js";
import { initEngines, selectedEngine } from "./engines.js";
import { listEntries, saveEntry } from "./history.js";
import { formatBytes, initImageInput, selectedImage, showPoster } from "./image-input.js";
import { renderParameters, selectedParameters } from "./parameters.js";
import { clearResult, renderResult, resumeTimeline, setProgress, setStatus } from "./result.js";
import { curlSnippet, javascriptSnippet } from "./snippets.js";
import { clearModel, initViewer, showModel } from "./viewer.js";

/** @import { ImageTo3dOptions, Progress, Session } from "./pkg/index.js" */
/** @import { Entry } from "./history.js" */

const form = /** @type {HTMLFormElement} */ (find("form"));
const createButton = /** @type {HTMLButtonElement} */ (find("create"));
const cancelButton = /** @type {HTMLButtonElement} */ (find("cancel"));

/** Milliseconds between polls. The library's default is longer: it suits a remote API. */
const interval = 500;

/**
 * The session that the page shows.
 *
 * @type {Entry | undefined}
 */
let current;

/** Returns the connection options for the session that the page shows. */
const currentConnection = () => connectionOptions(current ? current.baseUrl : selectedEndpoint());

/**
 * Aborts the running task.
 *
 * @type {AbortController | undefined}
 */
let running;

/**
 * Runs a task that the user can cancel, and shows its error. Cancels the task that runs already.
 *
 * @param {(signal: AbortSignal) => Promise<unknown>} task
 */
async function run(task) {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  createButton.disabled = true;
  cancelButton.hidden = false;
  find("session-status").scrollIntoView({ block: "nearest", behavior: "smooth" });
  try {
    await task(controller.signal);
  } catch (error) {
    if (running === controller) {
      showError(error, controller.signal);
    }
  } finally {
    if (running === controller) {
      running = undefined;
      createButton.disabled = false;
      cancelButton.hidden = find("progress").hidden = true;
      renderHistory();
    }
  }
}

/** Marks the current session as finished, so that a reload does not wait for it again. */
function closeEntry() {
  if (current) {
    current.open = false;
    saveEntry(current);
  }
}

/**
 * Shows why a task failed.
 *
 * @param {unknown} error
 * @param {AbortSignal} signal of the task
 */
function showError(error, { aborted }) {
  const code = current?.code;
  if (aborted) {
    setStatus(code ? "stopped waiting; the session keeps running." : "Cancelled.", { code });
    return;
  }
  if (!(error instanceof ImageTo3dError)) {
    setStatus(String(error), { code, failed: true });
    throw error;
  }
  const { kind, message, sent, retryAfter, session } = error;
  if (session) {
    renderSession(session);
  }
  if (kind === "session_failed") {
    closeEntry();
  }
  const sentences = [/[.!?]$/.test(message) ? message : `${message}.`];
  if (retryAfter !== undefined) {
    sentences.push(`Try again in ${retryAfter} s.`);
  }
  if (sent === "unknown" && !session) {
    sentences.push("A session may have been created anyway.");
  }
  setStatus(sentences.join(" "), { code, failed: true });
}

/** The session's URL field whose model the viewer shows; empty without a model. */
let shownField = "";

/**
 * Shows the session's best model. Loads each model only once.
 *
 * @param {Session} session
 */
function renderModel(session) {
  const best = /** @type {const} */ (["mesh_url_glb", "preview_mesh_url_glb"]).find(
    (field) => session[field],
  );
  if (best && shownField !== best) {
    shownField = best;
    const glb = currentConnection().then((connection) =>
      downloadModel(session, { ...connection, format: "glb" }),
    );
    showModel(glb, current?.name ?? session.session_code);
  }
}

/** Clears the session that the page shows. */
function clearSession() {
  clearResult();
  clearModel();
  current = undefined;
  shownField = "";
}

/**
 * Shows a session and its model.
 *
 * @param {Session} session
 */
function renderSession(session) {
  renderModel(session);
  renderResult(session, {
    download: (format) =>
      run(async (signal) => {
        const blob = await downloadModel(session, {
          ...(await currentConnection()),
          format,
          signal,
          onProgress: renderProgress,
        });
        const href = URL.createObjectURL(blob);
        element("a", { href, download: `${session.session_code}.${format}` }).click();
        setTimeout(() => URL.revokeObjectURL(href), 60_000);
        const code = session.session_code;
        setStatus(`${session.status}; ${formatBytes(blob.size)} downloaded.`, { code });
      }),
    refine: () =>
      run(async (signal) => {
        resumeTimeline();
        await requestRefine(session.session_code, { ...(await currentConnection()), signal });
        await waitForCurrent("refine", signal);
      }),
    selectSpin: (selected_spin_index) =>
      run(async (signal) => {
        resumeTimeline();
        await requestPreview(session.session_code, {
          ...(await currentConnection()),
          selected_spin_index: /** @type {0 | 1 | 2 | 3} */ (selected_spin_index),
          signal,
        });
        await waitForCurrent(session.auto_refine ? "refine" : "preview", signal);
      }),
  });
}

/**
 * Waits until the current session reaches a stage.
 *
 * @param {Entry["until"]} until
 * @param {AbortSignal} signal
 */
async function waitForCurrent(until, signal) {
  if (current) {
    current = { ...current, until, open: true };
    saveEntry(current);
    const options = { until, signal, interval, onUpdate: renderSession };
    const connection = await currentConnection();
    renderSession(await waitForSession(current.code, { ...connection, ...options }));
    closeEntry();
  }
}

/**
 * Calls `imageTo3d` with an image that the browser prepares, if it can decode it. The server decodes
 * formats that some browsers do not, such as TIFF.
 *
 * @param {ImageTo3dOptions} options
 */
async function createModel(options) {
  try {
    // Older versions of Firefox have no canvas for it.
    return await imageTo3d({ ...options, prepare: "OffscreenCanvas" in globalThis });
  } catch (undecodable) {
    if (!hasCode(undecodable, "undecodable_image")) throw undecodable;
    try {
      return await imageTo3d(options);
    } catch (error) {
      // Neither the browser nor the server reads HEIC. The server's error suggests `prepare`.
      const isRejected = hasCode(error, "unsupported_image") && error.message.includes("`prepare`");
      throw isRejected ? undecodable : error;
    }
  }
}

/**
 * Returns whether a call failed with an error of this code.
 *
 * @param {unknown} error
 * @param {ImageTo3dError["code"]} code
 * @returns {error is ImageTo3dError}
 */
const hasCode = (error, code) => error instanceof ImageTo3dError && error.code === code;

/** @type {Record<Progress["phase"], string>} */
const phaseMessages = {
  preparing: "Preparing the image…",
  encoding: "Encoding the image…",
  sending: "Sending the image…",
  downloading: "Downloading the model…",
};

/** @param {Progress} progress */
function renderProgress({ phase, loaded, total }) {
  const isMeasured = phase === "encoding" || phase === "downloading";
  setProgress(isMeasured && total ? loaded / total : undefined);
}

cancelButton.addEventListener("click", () => running?.abort());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const image = selectedImage();
  if (!image) {
    setStatus("Choose an image first.", { failed: true });
    find("image").focus();
    return;
  }
  clearSession();
  showPoster(image.name);
  const parameters = selectedParameters(form);
  const engine = selectedEngine();
  const baseUrl = selectedEndpoint();
  /** @type {Entry["until"]} */
  const until =
    parameters.preview_mesh === "turbo" ? "spins" : parameters.auto_refine ? "refine" : "preview";
  await run(async (signal) => {
    const session = await createModel({
      image,
      ...parameters,
      // An extension of this project's servers; the documented API has no such parameter.
      ...(engine && { extra: { engine } }),
      ...(await connectionOptions(baseUrl)),
      signal,
      interval,
      onProgress(progress) {
        setStatus(phaseMessages[progress.phase]);
        renderProgress(progress);
      },
      onUpdate(session) {
        if (!current) {
          const { session_code: code } = session;
          current = { code, baseUrl, name: image.name, until, open: true };
          saveEntry(current);
          renderHistory();
        }
        renderSession(session);
      },
    });
    renderSession(session);
    closeEntry();
  });
});

/**
 * Shows an earlier session, and waits for it if it has not finished.
 *
 * @param {Entry} entry
 */
function openEntry(entry) {
  clearSession();
  showPoster(entry.name);
  current = entry;
  return run(async (signal) => {
    if (entry.open) {
      await waitForCurrent(entry.until, signal);
    } else {
      renderSession(await getSession(entry.code, { ...(await currentConnection()), signal }));
    }
  });
}

function renderHistory() {
  const entries = listEntries();
  find("history").hidden = entries.length === 0;
  find("sessions").replaceChildren(
    ...entries.map((entry) =>
      element(
        "li",
        {},
        button(entry.code, () => openEntry(entry)),
        entry.baseUrl === null ? `${entry.name} (until you close this page)` : entry.name,
      ),
    ),
  );
}

function renderSnippets() {
  const request = {
    endpoint: selectedEndpoint(),
    parameters: selectedParameters(form),
    engine: selectedEngine(),
    hasApiKey: hasApiKey(),
  };
  const image = selectedImage() ?? { name: "image.png", type: "image/png" };
  find("javascript").textContent = javascriptSnippet(request);
  find("curl").textContent = curlSnippet(request, image);
}

renderParameters(find("parameters"), find("enterprise"));
initEndpoint();
initEngines(renderSnippets);
initViewer();
initImageInput(() => {
  renderSnippets();
  clearModel();
  // Sessions in the page are free, so a newcomer sees a model without finding the button first.
  if (selectedEndpoint() === null) {
    form.requestSubmit();
  }
});
form.addEventListener("input", renderSnippets);
renderSnippets();
renderHistory();

// Resumes a wait that a reload interrupted.
const [latest] = listEntries();
if (latest?.open) {
  openEntry(latest);
}
