/**
 * Decodes the base64 of an inlined WebAssembly module.
 *
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function decodeBase64(base64) {
  // TypeScript's library does not declare `Uint8Array.fromBase64` yet.
  const { fromBase64 } = /** @type {any} */ (Uint8Array);
  if (fromBase64) return fromBase64.call(Uint8Array, base64);
  const text = atob(base64);
  // A loop, because `Uint8Array.from` takes six times as long and blocks the page.
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
