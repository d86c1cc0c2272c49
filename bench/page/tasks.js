// Does what it is asked to: the page asks for its tasks itself, so that nothing else has to be
// attached to it.

import { imageTo3d, sculpt } from "./sculpt.js";
import { wait } from "./wait.js";

/** @import { Way } from "./ways.js" */

/**
 * A frame in which a picture is sent, and the ways that it has loaded.
 *
 * @typedef {Window & typeof globalThis & typeof import("./ways.js")} Realm
 * @typedef {{ element: HTMLIFrameElement, realm: Realm, file: number, loaded: Map<string, Way> }} Frame
 */

/** @type {number[]} */
let longTasks = [];
if (PerformanceObserver.supportedEntryTypes.includes("longtask")) {
  const note = (/** @type {PerformanceObserverEntryList} */ list) =>
    longTasks.push(...list.getEntries().map(({ duration }) => duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
}

/**
 * The one that sends one file again and again.
 *
 * @type {Frame | undefined}
 */
let warm;

const tasks = {
  /**
   * Sends a file. `cold`: in a page to which nothing was loaded yet, loading included.
   *
   * @param {{ way: string, file: number, cold: boolean }} what
   */
  async send({ way, file, cold }) {
    const frame = cold ? await newFrame(file) : await warmFrame(file);
    const picture = frame.realm.structuredClone(chosen(file));
    // What the limit sends has to be ready before.
    if (!cold || way === "limit") await loaded(frame, way, picture);
    const taken = await watched(async () => {
      await (await loaded(frame, way, picture)).send(picture);
    });
    if (cold) frame.element.remove();
    return taken;
  },

  /**
   * Loads a way where it will be sent in.
   *
   * @param {{ way: string, file: number }} what
   */
  async prepare({ way, file }) {
    await loaded(await warmFrame(file), way, chosen(file));
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

/** @param {number} file */
async function warmFrame(file) {
  if (warm?.file !== file) {
    warm?.element.remove();
    warm = await newFrame(file);
  }
  return warm;
}

/**
 * @param {number} file
 * @returns {Promise<Frame>}
 */
async function newFrame(file) {
  const element = document.createElement("iframe");
  element.src = "/frame.html";
  await new Promise((resolve) => {
    element.onload = resolve;
    document.body.append(element);
  });
  return { element, realm: /** @type {Realm} */ (element.contentWindow), file, loaded: new Map() };
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
