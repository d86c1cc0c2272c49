// The worker that prepares an image. The build writes its source into `wasm/prepare.js`.

import { encodeImage } from "./encode.js";

/** @typedef {{ blob: Blob } | { error: unknown }} Result */

/** @param {MessageEvent<[Blob, import("./encode.js").Settings]>} event */
self.onmessage = async ({ data }) => {
  /** @type {Result} */
  const result = await encodeImage(...data).then(
    (blob) => ({ blob }),
    (error) => ({ error }),
  );
  self.postMessage(result);
};
