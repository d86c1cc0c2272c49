// Where sessions are made: in this page, by this machine's server, or at another address.

import * as config from "./config.js";
import { find } from "./dom.js";

/** @import { ConnectionOptions } from "./pkg/index.js" */
/** @import { Sandbox } from "./pkg/sandbox.js" */

/**
 * The address of a server, or `null` for this page.
 *
 * @typedef {string | null} Endpoint
 */

/** How many times faster than a second per stage the page's own sessions go. */
const speed = 4;

const form = /** @type {HTMLFormElement} */ (find("form"));
const baseUrl = /** @type {HTMLInputElement} */ (find("base-url"));
const key = /** @type {HTMLInputElement} */ (find("api-key"));

/** @returns {Endpoint} the chosen one */
export function endpoint() {
  switch (new FormData(form).get("endpoint")) {
    case "page":
      return null;
    case "server":
      return config.server;
    default:
      return baseUrl.value.replace(/\/+$/, "");
  }
}

/** @returns {string} the key that was typed for the chosen endpoint, or nothing */
export const typedKey = () => (endpoint() === null ? "" : key.value);

/** Whether a key was typed that the chosen endpoint will see. */
export const withKey = () => typedKey() !== "";

/** @type {Sandbox | undefined} */
let sandbox;

/**
 * What every call of the library takes to reach an endpoint.
 *
 * @param {Endpoint} address
 * @returns {Promise<ConnectionOptions>}
 */
export async function connectionTo(address) {
  if (address === null) {
    sandbox ??= (await import("./pkg/sandbox.js")).createSandbox({ speed });
    return { fetch: sandbox.fetch };
  }
  // The key is for the endpoint that it was typed for.
  return { baseUrl: address, ...(address === endpoint() && withKey() && { apiKey: key.value }) };
}

/** Readies the switch. */
export function readyEndpoint() {
  const choice = `endpoint-${config.start}`;
  /** @type {HTMLInputElement} */ (find(choice)).checked = true;
  find("server-address").textContent = config.server.replace(/^https?:\/\//, "");
  find("endpoint").addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement && target.name === "endpoint") {
      key.value = "";
      showEndpoint();
    }
  });
  baseUrl.addEventListener("input", showEndpoint);
  showEndpoint();
}

function showEndpoint() {
  const chosen = endpoint();
  const other = chosen !== null && find("endpoint-other").matches(":checked");
  find("address-field").hidden = baseUrl.disabled = !other;
  find("key-field").hidden = chosen === null;
  find("where").textContent =
    chosen === null
      ? "Made in this page, as soon as there is a picture; nothing leaves the page."
      : `Made by ${chosen || "the address that you name"}.`;
}
