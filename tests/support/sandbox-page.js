// Runs in an empty page beside the package: makes the library, the sandbox and helpers for tests its
// globals, which `page-globals.d.ts` declares.

import * as library from "/pkg/index.js";
import { createSandbox } from "/pkg/sandbox.js";

/** A sample of 451 × 300 pixels, whose model takes long enough to be noticed. */
const image = await (await fetch("/samples/chelsea.png")).blob();

/** How many workers of sandboxes the page has started, without those of cut-out networks. */
const workers = { started: 0 };

globalThis.Worker = class extends Worker {
  /** @param {ConstructorParameters<typeof Worker>} args */
  constructor(...args) {
    if (args[1]?.name === "csm-image-to-3d") workers.started++;
    super(...args);
  }
};

export const sandboxHelpers = { createSandbox, image, workers };

Object.assign(globalThis, { library, sandboxHelpers });
