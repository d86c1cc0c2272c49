// Loads the module that prepares images, once an image is to be prepared.

/** @typedef {typeof import("./prepare.js")} Preparation */

/** @type {() => Promise<Preparation>} */
let load;

/**
 * Sets how the module is loaded, which depends on the entry of the package.
 *
 * @param {() => Promise<Preparation>} loader
 */
export function setPreparation(loader) {
  load = loader;
}

/**
 * Prepares an image: see `prepare.js`. The WebAssembly calls this.
 *
 * @type {Preparation["prepare"]}
 */
export async function prepareImage(image, options, signal) {
  return (await load()).prepare(image, options, signal);
}
