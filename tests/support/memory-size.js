/** Runs in a page: defines a global function that returns the size of the memory in bytes. */
export function defineMemorySize() {
  /** @type {any} */ (globalThis).memorySize = async () => {
    const wasm = await import("/pkg/wasm/csm_image_to_3d.js");
    // @ts-expect-error needs no argument, because the library has initialised it
    const exports = await wasm.default();
    // The build shortens its name.
    const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
    return memory?.buffer.byteLength;
  };
}
