// The 3D viewer: <model-viewer>, loaded when the page is idle.

import { find } from "./dom.js";
import { countFaces } from "./glb.js";

/**
 * The part of <model-viewer> that is used here. Its published types do not compile: they import
 * other packages' types and a file that is not published.
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
const modelInfo = find("model-info");

/** @type {Promise<boolean> | undefined} */
let loading;

/**
 * Loads <model-viewer> once.
 *
 * @returns {Promise<boolean>} whether this browser can display models
 */
function loadModelViewer() {
  loading ??= defineModelViewer().catch((error) => {
    // Lets the next call try again.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function defineModelViewer() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    return false;
  }
  const folder = new URL("model-viewer/", import.meta.url).href;
  const { ModelViewerElement } = await import(`${folder}model-viewer.min.js`);
  // The defaults fetch the decoders from another origin.
  ModelViewerElement.dracoDecoderLocation = `${folder}draco/gltf/`;
  ModelViewerElement.ktx2TranscoderLocation = `${folder}basis/`;
  return true;
}

/** Initializes the viewer. It is loaded after the first paint, when the page is idle. */
export function initViewer() {
  const whenIdle = globalThis.requestIdleCallback ?? setTimeout;
  new PerformanceObserver((_, observer) => {
    observer.disconnect();
    whenIdle(() => loadModelViewer().catch(() => {}));
  }).observe({ type: "paint", buffered: true });
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const updateRotation = () => viewer.toggleAttribute("auto-rotate", !reducedMotion.matches);
  reducedMotion.addEventListener("change", updateRotation);
  updateRotation();
}

/** Identifies the latest request: models of earlier requests are dropped. */
let latestRequest = {};

/** Removes the model, and shows the image again. */
export function clearModel() {
  latestRequest = {};
  modelInfo.textContent = "";
  modelInfo.classList.remove("failed");
  if (viewer.src) {
    URL.revokeObjectURL(viewer.src);
    viewer.src = null;
    viewer.showPoster();
  }
}

/**
 * Shows a model, its dimensions and its number of faces.
 *
 * @param {Promise<Blob>} glb
 * @param {string} name the image's file name, for the model's text alternative
 */
export async function showModel(glb, name) {
  const request = (latestRequest = {});
  viewer.hidden = false;
  modelInfo.textContent = "Loading the model…";
  modelInfo.classList.remove("failed");
  try {
    const [blob, canDisplay] = await Promise.all([glb, loadModelViewer()]);
    const faces = `${(await countFaces(blob)).toLocaleString("en")} faces`;
    if (request !== latestRequest) {
      return;
    }
    if (!canDisplay) {
      modelInfo.textContent = `${faces}; displaying the model requires WebGL`;
      return;
    }
    await display(blob, name);
    if (request === latestRequest) {
      const { x, y, z } = viewer.getDimensions();
      const dimensions = [x, y, z].map((length) => formatLength(length)).join(" × ");
      modelInfo.textContent = `${dimensions} (width × height × depth), ${faces}`;
    }
  } catch (error) {
    if (request === latestRequest) {
      const message = /** @type {any} */ (error)?.message;
      modelInfo.textContent = `Cannot display the model: ${message}`;
      modelInfo.classList.add("failed");
    }
  }
}

/**
 * Displays a model. Settles when the viewer has loaded it, or has failed to.
 *
 * @param {Blob} glb
 * @param {string} name
 */
function display(glb, name) {
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
function formatLength(length) {
  return length.toLocaleString("en", { maximumSignificantDigits: 4 });
}
