// How a picture can get from a file input to the API: the library's way, and what its users would
// write instead. Each loads what it needs, and answers what sends a picture.

/**
 * @typedef {object} Way
 * @property {(file: File) => Promise<unknown>} send done when the server has answered
 * @property {() => Promise<number>} [heap] how large its WebAssembly's memory is, in bytes
 */

const creativity = "lowest";
const url = `${location.origin}/image-to-3d-sessions`;
const headers = { "content-type": "application/json" };

/** @type {Record<string, (file: File) => Promise<Way>>} */
export const ways = {
  async library() {
    const { createSession } = await import(at("/pkg/index.js"));
    const baseUrl = location.origin;
    return {
      send: (image) => createSession({ image, creativity, baseUrl }),
      heap: () => heapOf("/pkg/wasm/csm_image_to_3d.js"),
    };
  },

  async FileReader() {
    return {
      send: async (file) => post(JSON.stringify({ creativity, image_url: await dataUrl(file) })),
    };
  },

  async axios() {
    const { default: axios } = await import(at("/axios.js"));
    return {
      send: async (file) => axios.post(url, { creativity, image_url: await dataUrl(file) }),
    };
  },

  async toBase64() {
    return {
      async send(file) {
        // Newer than the types that are at hand.
        const bytes = /** @type {any} */ (new Uint8Array(await file.arrayBuffer()));
        const image_url = `data:${file.type};base64,${bytes.toBase64()}`;
        await post(JSON.stringify({ creativity, image_url }));
      },
    };
  },

  async gloo() {
    const glue = "/opponent/bench_opponent.js";
    const { default: load, send } = await import(at(glue));
    await load();
    return { send: (file) => send(url, file), heap: () => heapOf(glue) };
  },

  // The rest are references: see `../ways.js`.

  async limit(file) {
    const ready = new Blob([readyBody(file)]);
    // The browser takes the bytes over some time after the `Blob` is there; before it reads.
    await ready.slice(-1).arrayBuffer();
    return sent(() => ready);
  },

  async bytes(file) {
    const ready = readyBody(file);
    return sent(() => ready);
  },

  async handover(file) {
    const ready = readyBody(file);
    return sent(() => new Blob([ready]));
  },
};

/** @param {File} file */
function readyBody(file) {
  const frame = JSON.stringify({ creativity, image_url: "data:image/png;base64," });
  return new Uint8Array(frame.length + Math.ceil(file.size / 3) * 4).fill(65);
}

/**
 * @param {() => Blob | Uint8Array<ArrayBuffer>} body
 * @returns {Way}
 */
const sent = (body) => ({
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

/** @param {string} glue a module that was loaded before */
async function heapOf(glue) {
  const { memory } = await (await import(at(glue))).default();
  return memory.buffer.byteLength;
}

/**
 * An address that is the server's, and no file beside this one.
 *
 * @param {string} path
 */
const at = (path) => path;
