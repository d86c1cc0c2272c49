// Methods that send an image from a file input to the API: the library and the baselines, which are
// what its users would write instead. Each method loads its code, and returns a function that sends.

/**
 * @typedef {object} Method
 * @property {(file: File) => Promise<unknown>} send settles when the server has responded
 * @property {() => Promise<number>} [heap] returns the size of its WebAssembly memory in bytes
 */

/** The size of a part of the body. The library encodes as much at once. */
const PART_BYTES = 1 << 20;

const creativity = "lowest";
const url = `${location.origin}/image-to-3d-sessions`;
const headers = { "content-type": "application/json" };

/** @type {Record<string, (file: File) => Promise<Method>>} */
export const methods = {
  library: loadLibrary("/pkg"),

  // Scales a photo down before.
  prepared: loadLibrary("/pkg", { prepare: true }),

  // Another build, under two URLs: see `buildNames`.
  old: loadLibrary("/old"),
  oldAgain: loadLibrary("/old-again"),

  async FileReader() {
    return {
      send: async (file) => post(JSON.stringify({ creativity, image_url: await dataUrl(file) })),
    };
  },

  async axios() {
    const { default: axios } = await import(urlOf("/axios.js"));
    return {
      send: async (file) => axios.post(url, { creativity, image_url: await dataUrl(file) }),
    };
  },

  async toBase64() {
    return {
      async send(file) {
        // TypeScript's `lib` does not have it yet.
        const bytes = /** @type {any} */ (new Uint8Array(await file.arrayBuffer()));
        const image_url = `data:${file.type};base64,${bytes.toBase64()}`;
        await post(JSON.stringify({ creativity, image_url }));
      },
    };
  },

  async gloo() {
    const glue = "/baseline-rust/bench_baseline_rust.js";
    const { default: load, send } = await import(urlOf(glue));
    await load();
    return { send: (file) => send(url, file), heap: () => heapOf(glue) };
  },

  // The rest are references: see `../methods.js`.

  async limit(file) {
    const prepared = new Blob([preparedBody(file)]);
    // Reading waits until the browser has copied the bytes into its blob store.
    await prepared.slice(-1).arrayBuffer();
    return sendBody(() => prepared);
  },

  async bytes(file) {
    const prepared = preparedBody(file);
    return sendBody(() => prepared);
  },

  async reach(file) {
    const prepared = preparedBody(file);
    // The fastest of three ways: 131 ms for 32 MB in Chromium, compared with 143 ms as one array and
    // 175 ms as one `Blob` for each part.
    const parts = Array.from({ length: Math.ceil(prepared.length / PART_BYTES) }, (_, part) =>
      prepared.slice(part * PART_BYTES, (part + 1) * PART_BYTES),
    );
    return { send: () => post(new Blob(parts)) };
  },
};

/**
 * Returns the method of a build of the library.
 *
 * @param {string} folder
 * @param {{ prepare?: boolean }} [options] of `createSession`
 * @returns {() => Promise<Method>}
 */
function loadLibrary(folder, options) {
  return async () => {
    const { createSession } = await import(urlOf(`${folder}/index.js`));
    const baseUrl = location.origin;
    return {
      send: (image) => createSession({ image, creativity, baseUrl, ...options }),
      heap: () => heapOf(`${folder}/wasm/csm_image_to_3d.js`),
    };
  };
}

/** Returns a body of the size that the file takes. @param {File} file */
function preparedBody(file) {
  const rest = JSON.stringify({ creativity, image_url: "data:image/png;base64," });
  return new Uint8Array(rest.length + Math.ceil(file.size / 3) * 4).fill(65);
}

/**
 * Reads the file, and sends a prepared body.
 *
 * @param {() => Blob | Uint8Array<ArrayBuffer>} body
 * @returns {Method}
 */
const sendBody = (body) => ({
  async send(file) {
    await file.arrayBuffer();
    await post(body());
  },
});

/** @param {string | Blob | Uint8Array<ArrayBuffer>} body */
async function post(body) {
  const response = await fetch(url, { method: "POST", headers, body });
  await response.json();
}

/**
 * @param {File} file
 * @returns {Promise<string>}
 */
function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** @param {string} glue the JavaScript module of the WebAssembly, loaded before */
async function heapOf(glue) {
  const exports = await (await import(urlOf(glue))).default();
  // The build of the package shortens its name.
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  return memory?.buffer.byteLength ?? 0;
}

/**
 * Hides the URL of a module from TypeScript, which would look for a file.
 *
 * @param {string} path
 */
const urlOf = (path) => path;
