// Which engine makes the model, where the chosen server offers several.

import { element, find } from "./dom.js";
import { endpoint, typedKey } from "./endpoint.js";

/** @import { Endpoint } from "./endpoint.js" */

/** The engine that takes the picture's outline; the only one in the page itself. */
const outline = "sculpt";

const select = /** @type {HTMLSelectElement} */ (find("engines"));

/** The engine of those who choose none, where it is known. */
let standard = outline;

/** Whose engines are to be shown: an answer that arrives when others are wanted is dropped. */
let wanted = {};

/** @returns {string | undefined} the one that was chosen, unless it is the default */
export function chosenEngine() {
  return (!select.disabled && select.value) || undefined;
}

/**
 * Readies the choice, which is there where there is one.
 *
 * @param {() => void} changed called when there is another choice
 */
export function readyEngines(changed) {
  /** @type {Endpoint} */
  let server = null;
  const leave = () => {
    wanted = {};
    if (server !== endpoint()) {
      server = endpoint();
      find("engines-field").hidden = select.disabled = true;
      changed();
    }
    return wanted;
  };
  const look = async () => {
    const own = leave();
    const names = server === null ? [outline] : await namesOf(server);
    if (own === wanted) {
      show(names);
      changed();
    }
  };
  for (const id of ["endpoint", "base-url", "api-key"]) {
    find(id).addEventListener("change", look);
  }
  // An address that is being typed is not asked yet.
  find("base-url").addEventListener("input", leave);
  select.addEventListener("change", showWhich);
  look();
}

/**
 * The engines that a server offers, its default first; none where it is another that does not know
 * the question.
 *
 * @param {string} server
 * @returns {Promise<string[]>}
 */
async function namesOf(server) {
  // One that is not typed yet would be asked for beside the page.
  if (!URL.canParse(server)) {
    return [];
  }
  const ask = (/** @type {HeadersInit} */ headers) =>
    fetch(`${server}/sandbox/engines`, { headers, redirect: "error" });
  try {
    let answer = await ask({});
    // Only where it has to be: a key may be one that makes requests fail, and is counted.
    if (answer.status === 401 && typedKey()) {
      answer = await ask({ "x-api-key": typedKey() });
    }
    const names = answer.ok ? (await answer.json()).data?.results : [];
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {string[]} names */
function show(names) {
  const [first, ...others] = names;
  standard = first;
  find("engines-field").hidden = select.disabled = others.length === 0;
  if (!select.disabled) {
    const before = select.value;
    select.replaceChildren(
      element("option", { value: "" }, `${first} (default)`),
      ...others.map((name) => element("option", { value: name }, name)),
    );
    select.value = others.includes(before) ? before : "";
  }
  showWhich();
}

/** What the page says of the model that is to be made has to be true of its engine. */
function showWhich() {
  find("about-outline").hidden = (chosenEngine() ?? standard) !== outline;
}
