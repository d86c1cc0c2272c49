// Does what it is asked to: the page asks for its tasks itself, so that nothing else has to be
// attached to it.

import { imageTo3d, sculpt } from "./sculpt.js";
import { wait } from "./wait.js";

/** @import { Way } from "./ways.js" */

/**
 * A frame in which a picture is sent, and the ways that it has loaded.
 *
 * @typedef {Window & typeof globalThis & typeof import("./ways.js")} Realm
 * @typedef {{ element: HTMLIFrameElement, realm: Realm, loaded: Map<string, Way> }} Frame
 */

/** @type {number[]} */
let longTasks = [];
if (PerformanceObserver.supportedEntryTypes.includes("longtask")) {
  const note = (/** @type {PerformanceObserverEntryList} */ list) =>
    longTasks.push(...list.getEntries().map(({ duration }) => duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
}

/**
 * The one that is sent from again and again.
 *
 * @type {Frame | undefined}
 */
let warm;

const tasks = {
  /**
   * Sends a file. `cold`: in a page to which nothing was loaded yet, loading included unless it is
   * a reference.
   *
   * @param {{ way: string, file: number, cold: boolean, isReference?: boolean }} what
   */
  async send({ way, file, cold, isReference = false }) {
    const frame = cold ? await newFrame() : (warm ??= await newFrame());
    const picture = frame.realm.structuredClone(chosen(file));
    // What a reference sends has to be ready before.
    if (!cold || isReference) await loaded(frame, way, picture);
    const taken = await watched(async () => {
      await (await loaded(frame, way, picture)).send(picture);
    });
    if (cold) frame.element.remove();
    return taken;
  },

  /** Forgets what was loaded for the files that were sent so far. */
  renew() {
    warm?.element.remove();
    warm = undefined;
  },

  /**
   * How large the WebAssembly of a way is in memory, which was sent with before.
   *
   * @param {{ way: string }} what
   */
  async heap({ way }) {
    return (await warm?.loaded.get(way)?.heap?.()) ?? 0;
  },

  /** How long the longest task was since the last step began, in milliseconds; 0 if below 50. */
  async longest() {
    // They are told of some time after.
    await sleep(200);
    return Math.max(0, ...longTasks);
  },

  wait,

  sculpt,

  imageTo3d: (/** @type {{ file: number }} */ { file }) => watched(() => imageTo3d(chosen(file))),
};

/** @typedef {typeof tasks} Tasks */

/**
 * Does a step in peace, and says how long it took.
 *
 * @template T
 * @param {() => Promise<T>} step
 */
async function watched(step) {
  // What was sent before is held by the browser until it is collected.
  /** @type {{ gc?: () => void }} */ (globalThis).gc?.();
  await sleep(30);
  longTasks = [];
  const started = performance.timeOrigin + performance.now();
  const result = await step();
  const milliseconds = performance.timeOrigin + performance.now() - started;
  return { result, started, milliseconds };
}

/**
 * @param {Frame} frame
 * @param {string} way
 * @param {File} picture
 */
async function loaded({ realm, loaded }, way, picture) {
  const found = loaded.get(way) ?? (await realm.ways[way](picture));
  loaded.set(way, found);
  return found;
}

/** @returns {Promise<Frame>} */
async function newFrame() {
  const element = document.createElement("iframe");
  element.src = "/frame.html";
  await new Promise((resolve) => {
    element.onload = resolve;
    document.body.append(element);
  });
  return { element, realm: /** @type {Realm} */ (element.contentWindow), loaded: new Map() };
}

/** @param {number} file which of the input's */
function chosen(file) {
  const { files } = /** @type {HTMLInputElement} */ (document.querySelector("input"));
  if (!files?.[file]) throw new Error("the input has no such file");
  return files[file];
}

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

for (;;) {
  /** @type {{ name: keyof Tasks, argument: any }} */
  const { name, argument } = await (await fetch("/task")).json();
  /** @type {{ result: unknown } | { error: string }} */
  let answer;
  try {
    answer = { result: await tasks[name](argument) };
  } catch (error) {
    answer = { error: String(error) };
  }
  await fetch("/answer", { method: "POST", body: JSON.stringify(answer) });
}
