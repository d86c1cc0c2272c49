// Runs in a page of the server: a component with the hook in strict mode, against an imitation of the
// API.

import { Activity, createElement, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

import { useImageTo3d } from "../../pkg/react.js";

/** @import { StartOptions, UseImageTo3dOptions, UseImageTo3dResult } from "../../pkg/react.js" */

/** A session's fields, by its code. @type {Record<string, object>} */
const sessions = {};

/** The methods and URLs of the requests. @type {string[]} */
const requests = [];

/**
 * Responds as the API does. A new session is in progress until the test changes it.
 *
 * @param {string} url
 * @param {RequestInit} init
 */
async function fetch(url, { method }) {
  requests.push(`${method} ${url}`);
  const known = url.split("/").pop() ?? "";
  const code = method === "POST" ? `SESSION_1_${Object.keys(sessions).length}` : known;
  if (method === "POST") sessions[code] = { status: "spin_generate_processing", percent_done: 40 };
  if (method === "DELETE") delete sessions[code];
  if (method === "DELETE") return new Response(null, { status: 204 });
  if (!sessions[code]) return Response.json({ message: "no such session" }, { status: 404 });
  return Response.json({ data: { session_code: code, ...sessions[code] } });
}

/** The result of the hook at the last rendering. @type {UseImageTo3dResult} */
let hook;

/** @type {(options: UseImageTo3dOptions | undefined) => void} */
let setOptions;

/** @type {(mode: "visible" | "hidden" | "unmounted") => void} */
let setMode;

/** @param {{ options: UseImageTo3dOptions }} props */
function Component({ options }) {
  hook = useImageTo3d(options);
  return createElement("p", null, hook.state);
}

/** @param {{ initial: UseImageTo3dOptions }} props */
function App({ initial }) {
  const [options, changeOptions] = useState(initial);
  const [mode, changeMode] = useState(
    /** @type {"visible" | "hidden" | "unmounted"} */ ("visible"),
  );
  setOptions = (changed) => changeOptions({ ...initial, ...changed });
  setMode = changeMode;
  if (mode === "unmounted") return null;
  return createElement(Activity, { mode, children: createElement(Component, { options }) });
}

/** @param {() => unknown} condition */
async function until(condition) {
  for (let round = 0; round < 300; round++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never happened: ${condition}; ${hook.state}; ${requests}`);
}

const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNQmvkfAAKbAbtuSfydAAAAAElFTkSuQmCC";

export const hookHelpers = {
  sessions,
  requests,
  fetch,
  until,
  image: await (await globalThis.fetch(`data:image/png;base64,${png}`)).blob(),
  hook: () => hook,
  setOptions: (/** @type {UseImageTo3dOptions} */ options) => setOptions(options),
  setMode: (/** @type {"visible" | "hidden" | "unmounted"} */ mode) => setMode(mode),
  /** @param {UseImageTo3dOptions} [options] */
  async mount(options) {
    const element = document.body.appendChild(document.createElement("div"));
    const initial = { baseUrl: "https://api.example", fetch, interval: 10, ...options };
    const app = createElement(StrictMode, null, createElement(App, { initial }));
    createRoot(element).render(app);
    await until(() => hook);
  },
};

Object.assign(globalThis, { hookHelpers });
