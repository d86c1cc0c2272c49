/**
 * How to encode an image: `maxEdge` in pixels, `type` a media type, `quality` from 0 to 1.
 *
 * @typedef {{ maxEdge: number, type?: string, quality: number }} Settings
 */

/**
 * Decodes an image with the browser's decoder, turns it upright, scales it down and encodes it in
 * sRGB, without metadata. Without `type` it encodes JPEG, or WebP if there are transparent pixels; or
 * PNG, if that would be larger than the image and PNG is smaller.
 *
 * @param {Blob} image
 * @param {Settings} settings
 * @returns {Promise<Blob>}
 * @throws {unknown} if the browser cannot decode the image, or does not let scripts read pixels
 */
export async function encodeImage(image, { maxEdge, type, quality }) {
  assertReadable();
  const context = scaleDown(await decode(image), maxEdge);
  const { canvas } = context;
  const isRequested = type !== undefined;
  type ??= (await isJpeg(image)) || isOpaque(context) ? "image/jpeg" : "image/webp";
  if (type === "image/jpeg") {
    // Transparent pixels of a JPEG would be black.
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  const encoded = await canvas.convertToBlob({ type, quality });
  if (isRequested || encoded.size <= image.size) return encoded;
  // A drawing with few colors is smaller as PNG.
  const png = await canvas.convertToBlob({ type: "image/png" });
  return png.size < encoded.size ? png : encoded;
}

/** @param {Blob} image */
async function decode(image) {
  try {
    return await createImageBitmap(image, { imageOrientation: "from-image" });
  } catch (error) {
    // Browsers that do not know the value do the same without it.
    if (error instanceof TypeError) return createImageBitmap(image);
    // Firefox recognizes a format only within the first part of a `Blob` that has several.
    return createImageBitmap(new Blob([await image.arrayBuffer()]));
  }
}

/**
 * Draws an image so that its longer edge has at most `maxEdge` pixels. Each step at most halves it,
 * because a larger one would skip pixels in Firefox.
 *
 * @param {ImageBitmap} bitmap is closed
 * @param {number} maxEdge
 */
function scaleDown(bitmap, maxEdge) {
  const scale = Math.min(1, maxEdge / Math.max(bitmap.width, bitmap.height));
  const target = [bitmap.width, bitmap.height].map((edge) => Math.max(1, Math.round(edge * scale)));
  /** @type {ImageBitmap | OffscreenCanvas} */
  let source = bitmap;
  for (;;) {
    const { width, height } = source;
    const next = [width, height].map((edge, axis) => Math.max(target[axis], Math.ceil(edge / 2)));
    const context = getContext(next[0], next[1]);
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, next[0], next[1]);
    bitmap.close();
    if (next[0] === target[0] && next[1] === target[1]) return context;
    source = context.canvas;
  }
}

/** @param {OffscreenCanvasRenderingContext2D} context */
function isOpaque(context) {
  const { data } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  for (let alpha = 3; alpha < data.length; alpha += 4) {
    if (data[alpha] < 255) return false;
  }
  return true;
}

/** @param {Blob} image */
async function isJpeg(image) {
  const start = new Uint8Array(await image.slice(0, 3).arrayBuffer());
  return String(start) === "255,216,255";
}

/** Throws if the browser returns other pixels than those that were drawn, to prevent fingerprinting. */
function assertReadable() {
  const context = getContext(1, 1);
  context.fillStyle = "#369";
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  // Some browsers change each channel by one.
  const difference = Math.abs(red - 0x33) + Math.abs(green - 0x66) + Math.abs(blue - 0x99);
  if (difference > 6) throw new Error("its privacy protection does not let pages read pixels");
}

/**
 * @param {number} width
 * @param {number} height
 */
function getContext(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("no 2D canvas");
  return context;
}
