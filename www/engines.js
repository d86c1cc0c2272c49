// The engine choice, for servers that offer several engines.

import { element, find } from "./dom.js";
import { apiKey, selectedEndpoint } from "./endpoint.js";

/** @import { Endpoint } from "./endpoint.js" */

/** The engine that builds models from the image's outline; the only engine in the page itself. */
const outlineEngine = "sculpt";

const select = /** @type {HTMLSelectElement} */ (find("engines"));

/** The endpoint's default engine; `undefined` if it is not known. @type {string | undefined} */
let defaultEngine = outlineEngine;

/** Identifies the latest request: responses to earlier requests are dropped. */
let latestRequest = {};

/** @returns {string | undefined} the selected engine; `undefined` for the server's default */
export function selectedEngine() {
  return (!select.disabled && select.value) || undefined;
}

/**
 * Initializes the engine choice. It is hidden unless the endpoint offers several engines.
 *
 * @param {() => void} onChange called after the choice has changed
 */
export function initEngines(onChange) {
  /** @type {Endpoint} */
  let endpoint = null;
  const invalidate = () => {
    latestRequest = {};
    if (endpoint !== selectedEndpoint()) {
      endpoint = selectedEndpoint();
      find("engines-field").hidden = select.disabled = true;
      onChange();
    }
    return latestRequest;
  };
  const update = async () => {
    const request = invalidate();
    const engines = endpoint === null ? [outlineEngine] : await fetchEngines(endpoint);
    if (request === latestRequest) {
      renderEngines(engines);
      onChange();
    }
  };
  for (const id of ["endpoint", "base-url", "api-key"]) {
    find(id).addEventListener("change", update);
  }
  // `change` follows once the user has finished typing; no request goes to an incomplete address.
  find("base-url").addEventListener("input", invalidate);
  select.addEventListener("change", renderOutlineNote);
  update();
}

/**
 * Fetches the engines of a server, its default first. Returns an empty list if the server does not
 * list engines.
 *
 * @param {string} baseUrl
 * @returns {Promise<string[]>}
 */
async function fetchEngines(baseUrl) {
  // `fetch` would resolve an empty or incomplete address against the page's own.
  if (!URL.canParse(baseUrl)) {
    return [];
  }
  const request = (/** @type {HeadersInit} */ headers) =>
    fetch(`${baseUrl}/sandbox/engines`, { headers, redirect: "error" });
  try {
    let response = await request({});
    // Sends the key only if the server requires it: keys that simulate faults count requests.
    if (response.status === 401 && apiKey()) {
      response = await request({ "x-api-key": apiKey() });
    }
    const engines = response.ok ? (await response.json()).data?.results : [];
    return Array.isArray(engines) ? engines.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {string[]} engines */
function renderEngines(engines) {
  const [first, ...others] = engines;
  defaultEngine = first;
  find("engines-field").hidden = select.disabled = others.length === 0;
  if (!select.disabled) {
    const previous = select.value;
    select.replaceChildren(
      element("option", { value: "" }, `${first} (default)`),
      ...others.map((name) => element("option", { value: name }, name)),
    );
    select.value = others.includes(previous) ? previous : "";
  }
  renderOutlineNote();
}

/** Shows the note about the outline only for the engine that it describes. */
function renderOutlineNote() {
  find("outline-note").hidden = (selectedEngine() ?? defaultEngine) !== outlineEngine;
}
