// The model, to be turned around: <model-viewer>, which is loaded when the page has time for it.

import { find } from "./dom.js";
import { countFaces } from "./glb.js";

/**
 * What is used of a <model-viewer>. Its own types need those of other packages, and one file that
 * it does not publish.
 *
 * @typedef {HTMLElement & {
 *   src: string | null,
 *   alt: string | null,
 *   autoRotate: boolean,
 *   resetTurntableRotation: () => void,
 *   showPoster: () => void,
 *   getDimensions: () => { x: number, y: number, z: number },
 * }} ModelViewer
 */

const viewer = /** @type {ModelViewer} */ (find("viewer"));
const facts = find("facts");

/** @type {Promise<boolean> | undefined} */
let loading;

/** Loads <model-viewer>, once, and answers whether this browser can draw a model with it. */
function load() {
  loading ??= define().catch((error) => {
    // The next call tries again.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function define() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    return false;
  }
  const folder = new URL("model-viewer/", import.meta.url).href;
  const { ModelViewerElement } = await import(`${folder}model-viewer.min.js`);
  // Left alone, it fetches the decoders of compressed models from other origins.
  ModelViewerElement.dracoDecoderLocation = `${folder}draco/gltf/`;
  ModelViewerElement.ktx2TranscoderLocation = `${folder}basis/`;
  return true;
}

/** Readies the viewer: it is loaded once the page is drawn and has nothing else to do. */
export function readyViewer() {
  const idle = globalThis.requestIdleCallback ?? setTimeout;
  new PerformanceObserver((_, observer) => {
    observer.disconnect();
    idle(() => load().catch(() => {}));
  }).observe({ type: "paint", buffered: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const turn = () => viewer.toggleAttribute("auto-rotate", !still.matches);
  still.addEventListener("change", turn);
  turn();
}

/** What the viewer is to show: a model that arrives when something else is wanted is dropped. */
let wanted = {};

/** Shows the picture again, and no model. */
export function clearModel() {
  wanted = {};
  facts.textContent = "";
  facts.classList.remove("failed");
  if (viewer.src) {
    URL.revokeObjectURL(viewer.src);
    viewer.src = null;
    viewer.showPoster();
  }
}

/**
 * Shows a model and its measures, in place of what is shown.
 *
 * @param {Promise<Blob>} glb
 * @param {string} name of what it is a model of
 */
export async function showModel(glb, name) {
  const own = (wanted = {});
  viewer.hidden = false;
  facts.textContent = "Loading the model…";
  facts.classList.remove("failed");
  try {
    const [blob, draws] = await Promise.all([glb, load()]);
    const faces = `${(await countFaces(blob)).toLocaleString("en")} faces`;
    if (own !== wanted) {
      return;
    }
    if (!draws) {
      facts.textContent = `${faces}; to draw them here, this browser would need WebGL`;
      return;
    }
    await shown(blob, name);
    if (own === wanted) {
      const { x, y, z } = viewer.getDimensions();
      const box = [x, y, z].map((length) => number(length)).join(" × ");
      facts.textContent = `${box} (width × height × depth), ${faces}`;
    }
  } catch (error) {
    if (own === wanted) {
      facts.textContent = `The model cannot be shown: ${/** @type {any} */ (error)?.message}`;
      facts.classList.add("failed");
    }
  }
}

/**
 * Settles when the viewer shows the model, or cannot.
 *
 * @param {Blob} glb
 * @param {string} name
 */
function shown(glb, name) {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    /** @type {(type: string, settle: (event: Event) => void) => void} */
    const once = (type, settle) =>
      viewer.addEventListener(
        type,
        (event) => {
          settled.abort();
          settle(event);
        },
        { signal: settled.signal },
      );
    once("load", resolve);
    once("error", (event) => {
      const { sourceError, type } = /** @type {CustomEvent} */ (event).detail ?? {};
      reject(sourceError ?? new Error(type));
    });
    if (viewer.src) {
      URL.revokeObjectURL(viewer.src);
    }
    viewer.alt = `3D model of ${name}`;
    viewer.src = URL.createObjectURL(glb);
  });
}

/** @param {number} length */
function number(length) {
  return length.toLocaleString("en", { maximumSignificantDigits: 4 });
}
