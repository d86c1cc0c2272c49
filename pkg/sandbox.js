// The Image-to-3D API in WebAssembly, inside this page or Node.js process. The first request imports a
// module that contains the WebAssembly as base64.

import { defineCreateSandbox } from "./sandbox/create.js";
import { decodeBase64 } from "./wasm/shared.js";

export const createSandbox = defineCreateSandbox(async () => {
  const { base64 } = await import("./wasm/sandbox_inlined.js");
  return WebAssembly.compile(decodeBase64(base64));
});
