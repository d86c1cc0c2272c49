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
import { connectionTo, endpoint, readyEndpoint, withKey } from "./endpoint.js";
import { chosenEngine, readyEngines } from "./engines.js";
import { entries, remember } from "./history.js";
import { buildForm, chosen } from "./parameters.js";
import { chosenPicture, readyPicture, showPicture, size } from "./picture.js";
import { clear, goOn, say, show, showProgress } from "./result.js";
import { curl, javascript } from "./snippets.js";
import { clearModel, readyViewer, showModel } from "./viewer.js";

/** @import { Progress, Session } from "./pkg/index.js" */
/** @import { Entry } from "./history.js" */

const form = /** @type {HTMLFormElement} */ (find("form"));
const create = /** @type {HTMLButtonElement} */ (find("create"));
const cancel = /** @type {HTMLButtonElement} */ (find("cancel"));

/** How soon a session is looked at again, in milliseconds: a server on this machine is quick. */
const interval = 500;

/**
 * The session that is shown.
 *
 * @type {Entry | undefined}
 */
let current;

/** How the session that is shown is reached. */
const connection = () => connectionTo(current ? current.baseUrl : endpoint());

/**
 * What is going on, if anything is.
 *
 * @type {AbortController | undefined}
 */
let running;

/**
 * Does something that can be cancelled, in place of what is going on, and tells in words how it
 * fails.
 *
 * @param {(signal: AbortSignal) => Promise<unknown>} work
 */
async function run(work) {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  create.disabled = true;
  cancel.hidden = false;
  find("outcome").scrollIntoView({ block: "nearest", behavior: "smooth" });
  try {
    await work(controller.signal);
  } catch (error) {
    if (running === controller) {
      explain(error, controller.signal.aborted);
    }
  } finally {
    if (running === controller) {
      running = undefined;
      create.disabled = false;
      cancel.hidden = find("progress").hidden = true;
      showHistory();
    }
  }
}

/** The current session is not waited for any more. */
function end() {
  if (current) {
    current.open = false;
    remember(current);
  }
}

/**
 * @param {unknown} error
 * @param {boolean} cancelled
 */
function explain(error, cancelled) {
  const code = current?.code;
  if (cancelled) {
    say(code ? "no longer followed; it goes on by itself." : "Cancelled.", { code });
    return;
  }
  if (!(error instanceof ImageTo3dError)) {
    say(String(error), { code, failed: true });
    throw error;
  }
  const { kind, message, sent, retryAfter, session } = error;
  if (session) {
    see(session);
  }
  if (kind === "session_failed") {
    end();
  }
  const later = retryAfter === undefined ? "" : ` Try again in ${retryAfter} s.`;
  const doubt =
    sent === "unknown" && !session ? " A session may have been created all the same." : "";
  say(`${message[0].toUpperCase()}${message.slice(1)}.${later}${doubt}`, { code, failed: true });
}

/** What is shown of the current session: its refined model, or its preview. */
let shown = "";

/**
 * Shows the session's best model, each only once.
 *
 * @param {Session} session
 */
function seeModel(session) {
  const best = ["mesh_url_glb", "preview_mesh_url_glb"].find((field) => session[field]);
  if (best && shown !== best) {
    shown = best;
    const glb = connection().then((to) => downloadModel(session, { ...to, format: "glb" }));
    showModel(glb, current?.name ?? session.session_code);
  }
}

/** Nothing is shown of a session any more. */
function forget() {
  clear();
  clearModel();
  current = undefined;
  shown = "";
}

/** @param {Session} session */
function see(session) {
  seeModel(session);
  show(session, {
    download: (format) =>
      run(async (signal) => {
        const blob = await downloadModel(session, {
          ...(await connection()),
          format,
          signal,
          onProgress: showBytes,
        });
        const href = URL.createObjectURL(blob);
        element("a", { href, download: `${session.session_code}.${format}` }).click();
        setTimeout(() => URL.revokeObjectURL(href), 60_000);
        say(`${session.status}; ${size(blob.size)} downloaded.`, { code: session.session_code });
      }),
    refine: () =>
      run(async (signal) => {
        goOn();
        await requestRefine(session.session_code, { ...(await connection()), signal });
        await follow("refine", signal);
      }),
    choose: (selected_spin_index) =>
      run(async (signal) => {
        goOn();
        await requestPreview(session.session_code, {
          ...(await connection()),
          selected_spin_index: /** @type {0 | 1 | 2 | 3} */ (selected_spin_index),
          signal,
        });
        await follow(session.auto_refine ? "refine" : "preview", signal);
      }),
  });
}

/**
 * Waits for the current session.
 *
 * @param {Entry["until"]} until
 * @param {AbortSignal} signal
 */
async function follow(until, signal) {
  if (current) {
    current = { ...current, until, open: true };
    remember(current);
    const options = { ...(await connection()), until, signal, interval, onUpdate: see };
    see(await waitForSession(current.code, options));
    end();
  }
}

/** @param {Progress} progress */
function showBytes({ phase, loaded, total }) {
  showProgress(phase === "sending" || !total ? undefined : loaded / total);
}

cancel.addEventListener("click", () => running?.abort());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const picture = chosenPicture();
  if (!picture) {
    say("Choose a picture first.", { failed: true });
    find("image").focus();
    return;
  }
  forget();
  showPicture(picture.name);
  const parameters = chosen(form);
  const engine = chosenEngine();
  const baseUrl = endpoint();
  /** @type {Entry["until"]} */
  const until =
    parameters.preview_mesh === "turbo" ? "spins" : parameters.auto_refine ? "refine" : "preview";
  await run(async (signal) => {
    const session = await imageTo3d({
      image: picture,
      ...parameters,
      // This project's own servers know it; it is no parameter of the documented API.
      ...(engine && { extra: { engine } }),
      ...(await connectionTo(baseUrl)),
      signal,
      interval,
      onProgress(progress) {
        say(progress.phase === "sending" ? "Sending the picture…" : "Encoding the picture…");
        showBytes(progress);
      },
      onUpdate(session) {
        if (!current) {
          const { session_code: code } = session;
          current = { code, baseUrl, name: picture.name, until, open: true };
          remember(current);
          showHistory();
        }
        see(session);
      },
    });
    see(session);
    end();
  });
});

/** @param {Entry} entry */
function open(entry) {
  forget();
  showPicture(entry.name);
  current = entry;
  return run(async (signal) => {
    if (entry.open) {
      await follow(entry.until, signal);
    } else {
      see(await getSession(entry.code, { ...(await connection()), signal }));
    }
  });
}

function showHistory() {
  const list = entries();
  find("history").hidden = list.length === 0;
  find("sessions").replaceChildren(
    ...list.map((entry) =>
      element(
        "li",
        {},
        button(entry.code, () => open(entry)),
        entry.baseUrl === null ? `${entry.name}, until this page is closed` : entry.name,
      ),
    ),
  );
}

function showCode() {
  const file = chosenPicture() ?? { name: "picture.png", type: "image/png" };
  const call = /** @type {const} */ ([endpoint(), chosen(form), chosenEngine(), withKey()]);
  find("javascript").textContent = javascript(...call);
  find("curl").textContent = curl(...call, file);
}

buildForm(find("parameters"), find("enterprise"));
readyEndpoint();
readyEngines(showCode);
readyViewer();
readyPicture(() => {
  showCode();
  clearModel();
  // It costs nothing there, and nobody waits in vain for a button to be found.
  if (endpoint() === null) {
    form.requestSubmit();
  }
});
form.addEventListener("input", showCode);
showCode();
showHistory();

// A reload in the middle of a wait takes the wait up again.
const [latest] = entries();
if (latest?.open) {
  open(latest);
}
