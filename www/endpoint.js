// The endpoint: the API in this page, the local server, or another server.

import * as config from "./config.js";
import { find } from "./dom.js";

/** @import { ConnectionOptions } from "./pkg/index.js" */
/** @import { Sandbox } from "./pkg/sandbox.js" */

/**
 * The base URL of a server, or `null` for the API in this page.
 *
 * @typedef {string | null} Endpoint
 */

/** The speed of the sandbox in this page: four stages per second. */
const speed = 4;

const form = /** @type {HTMLFormElement} */ (find("form"));
const baseUrlInput = /** @type {HTMLInputElement} */ (find("base-url"));
const apiKeyInput = /** @type {HTMLInputElement} */ (find("api-key"));

/**
 * Returns the selected endpoint.
 *
 * @returns {Endpoint}
 */
export function selectedEndpoint() {
  switch (new FormData(form).get("endpoint")) {
    case "page":
      return null;
    case "server":
      return config.server;
    default:
      return baseUrlInput.value.replace(/\/+$/, "");
  }
}

/** Returns the API key for the selected endpoint, or an empty string. */
export const apiKey = () => (selectedEndpoint() === null ? "" : apiKeyInput.value);

/** Returns whether the user entered an API key for the selected endpoint. */
export const hasApiKey = () => apiKey() !== "";

/** @type {Sandbox | undefined} */
let sandbox;

/**
 * Returns the options with which the library reaches an endpoint.
 *
 * @param {Endpoint} endpoint
 * @returns {Promise<ConnectionOptions>}
 */
export async function connectionOptions(endpoint) {
  if (endpoint === null) {
    sandbox ??= (await import("./pkg/sandbox/external.js")).createSandbox({ speed });
    return { fetch: sandbox.fetch };
  }
  // Never sends a key to another endpoint than the one it was entered for.
  const sendsKey = endpoint === selectedEndpoint() && hasApiKey();
  return { baseUrl: endpoint, ...(sendsKey && { apiKey: apiKey() }) };
}

/** Initializes the endpoint controls. */
export function initEndpoint() {
  /** @type {HTMLInputElement} */ (find(`endpoint-${config.start}`)).checked = true;
  find("server-address").textContent = config.server.replace(/^https?:\/\//, "");
  find("endpoint").addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement && target.name === "endpoint") {
      apiKeyInput.value = "";
      renderEndpoint();
    }
  });
  baseUrlInput.addEventListener("input", renderEndpoint);
  renderEndpoint();
}

function renderEndpoint() {
  const endpoint = selectedEndpoint();
  const isOther = find("endpoint-other").matches(":checked");
  find("address-field").hidden = baseUrlInput.disabled = !isOther;
  find("key-field").hidden = endpoint === null;
  find("endpoint-note").textContent = describeEndpoint(endpoint);
}

/** @param {Endpoint} endpoint */
function describeEndpoint(endpoint) {
  if (endpoint === null) {
    return "Runs in this page as soon as you choose an image. Nothing is uploaded.";
  }
  return endpoint ? `Sends your image to ${endpoint}.` : "Enter the API base URL.";
}
