// Runs the tasks of the harness. The page fetches its tasks, so that no debugger has to be attached.

import { imageTo3d, sculpt } from "./sculpt.js";
import { wait } from "./wait.js";

/** @import { Method } from "./methods.js" */

/**
 * A frame that sends images, and the methods that it has loaded.
 *
 * @typedef {Window & typeof globalThis & typeof import("./methods.js")} FrameWindow
 * @typedef {{ element: HTMLIFrameElement, window: FrameWindow, loaded: Map<string, Method> }} Frame
 */

/** @type {number[]} */
let longTasks = [];
if (PerformanceObserver.supportedEntryTypes.includes("longtask")) {
  const record = (/** @type {PerformanceObserverEntryList} */ list) =>
    longTasks.push(...list.getEntries().map(({ duration }) => duration));
  new PerformanceObserver(record).observe({ type: "longtask" });
}

/**
 * The frame of all warm uploads.
 *
 * @type {Frame | undefined}
 */
let warmFrame;

const tasks = {
  /**
   * Sends a file. `cold`: in a new frame, including the time to load the code unless the method is a
   * reference.
   *
   * @param {{ method: string, file: number, cold: boolean, isReference?: boolean }} task
   */
  async send({ method, file, cold, isReference = false }) {
    const frame = cold ? await newFrame() : (warmFrame ??= await newFrame());
    const image = frame.window.structuredClone(chosenFile(file));
    // References prepare their body beforehand.
    if (!cold || isReference) await load(frame, method, image);
    const timing = await time(async () => {
      await (await load(frame, method, image)).send(image);
    });
    if (cold) frame.element.remove();
    return timing;
  },

  /** Removes the warm frame, with its loaded code and prepared bodies. */
  reset() {
    warmFrame?.element.remove();
    warmFrame = undefined;
  },

  /**
   * Returns the size of a method's WebAssembly memory in bytes; 0 without WebAssembly.
   *
   * @param {{ method: string }} task
   */
  async heap({ method }) {
    return (await warmFrame?.loaded.get(method)?.heap?.()) ?? 0;
  },

  /** Returns the longest task since the last step started, in milliseconds; 0 if below 50. */
  async longest() {
    // The browser reports long tasks with a delay.
    await sleep(200);
    return Math.max(0, ...longTasks);
  },

  wait,

  sculpt,

  imageTo3d: (/** @type {{ file: number, extra?: object }} */ { file, extra }) =>
    time(() => imageTo3d(chosenFile(file), extra)),
};

/** @typedef {typeof tasks} Tasks */

/**
 * Runs a step, and measures its duration.
 *
 * @template T
 * @param {() => Promise<T>} step
 */
async function time(step) {
  // The browser holds earlier bodies until they are garbage-collected.
  /** @type {{ gc?: () => void }} */ (globalThis).gc?.();
  await sleep(30);
  longTasks = [];
  const started = performance.timeOrigin + performance.now();
  const result = await step();
  const milliseconds = performance.timeOrigin + performance.now() - started;
  return { result, started, milliseconds };
}

/**
 * Loads a method in a frame, once.
 *
 * @param {Frame} frame
 * @param {string} name
 * @param {File} image
 */
async function load({ window, loaded }, name, image) {
  const method = loaded.get(name) ?? (await window.methods[name](image));
  loaded.set(name, method);
  return method;
}

/** @returns {Promise<Frame>} */
async function newFrame() {
  const element = document.createElement("iframe");
  element.src = "/frame.html";
  await new Promise((resolve) => {
    element.onload = resolve;
    document.body.append(element);
  });
  const window = /** @type {FrameWindow} */ (element.contentWindow);
  return { element, window, loaded: new Map() };
}

/** @param {number} index of a file in the input */
function chosenFile(index) {
  const { files } = /** @type {HTMLInputElement} */ (document.querySelector("input"));
  if (!files?.[index]) throw new Error(`Missing file ${index} in the input`);
  return files[index];
}

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

for (;;) {
  /** @type {{ name: keyof Tasks, argument: any }} */
  const { name, argument } = await (await fetch("/task")).json();
  /** @type {{ result: unknown } | { error: string }} */
  let outcome;
  try {
    outcome = { result: await tasks[name](argument) };
  } catch (error) {
    outcome = { error: String(error) };
  }
  await fetch("/result", { method: "POST", body: JSON.stringify(outcome) });
}
