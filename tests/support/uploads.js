// Runs in a page: images for uploads, and what the library uploads of them.

/** @import { CreateSessionOptions, PrepareOptions, Progress } from "/pkg/index.js" */
/** @typedef {typeof import("/pkg/index.js")} Library */

/** The name of a place that the metadata of `photo` contains. */
const PLACE = "Canary-Islands-28N";

/**
 * Returns a JPEG of 40 by 20 pixels, red at the left and blue at the right, whose metadata says that
 * it is to be turned by 90 degrees to the right (orientation 6), and where it was taken.
 */
async function photo() {
  const jpeg = await draw(40, 20, "image/jpeg", [
    ["#f00", 0, 0, 20, 20],
    ["#00f", 20, 0, 20, 20],
  ]);
  const bytes = new Uint8Array(await jpeg.arrayBuffer());
  const text = [...PLACE, "\0"].map((character) => character.charCodeAt(0));
  // A TIFF header, and a directory with the description (270) and the orientation (274).
  const exif = [
    ...[0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 2],
    ...[1, 14, 0, 2, 0, 0, 0, text.length, 0, 0, 0, 38],
    ...[1, 18, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0],
    ...[0, 0, 0, 0],
    ...text,
  ];
  const segment = [0xff, 0xe1, 0, exif.length + 2, ...exif];
  return new File([bytes.slice(0, 2), new Uint8Array(segment), bytes.slice(2)], "photo.jpg");
}

/**
 * @param {number} width
 * @param {number} height
 * @param {string} type
 * @param {[color: string, x: number, y: number, width: number, height: number][]} rectangles
 */
function draw(width, height, type, rectangles) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  for (const [color, ...rectangle] of rectangles) {
    context.fillStyle = color;
    context.fillRect(...rectangle);
  }
  return canvas.convertToBlob({ type });
}

/**
 * Creates a session and returns the image in its request.
 *
 * @param {Library} library
 * @param {Blob | ArrayBuffer} image
 * @param {boolean | PrepareOptions} prepare
 */
async function upload(library, image, prepare) {
  /** @type {Progress["phase"][]} */
  const phases = [];
  /** @type {string | undefined} */
  let url;
  await library.createSession({
    image,
    prepare,
    onProgress: ({ phase }) => phases.at(-1) === phase || phases.push(phase),
    fetch: async (_, { body }) => {
      ({ image_url: url } = await new Response(body).json());
      return Response.json({ data: { session_code: "SESSION_1_1", status: "training_preview" } });
    },
  });
  const blob = await (await fetch(String(url))).blob();
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context?.drawImage(bitmap, 0, 0);
  const text = new TextDecoder("latin1").decode(await blob.arrayBuffer());
  /** @param {number} x @param {number} y both from 0 to 1 */
  const pixel = (x, y) => [
    ...(context?.getImageData((width - 1) * x, (height - 1) * y, 1, 1).data ?? []),
  ];
  return {
    phases,
    type: blob.type,
    size: blob.size,
    width,
    height,
    hasPlace: text.includes(PLACE),
    corners: [pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1)],
    thirds: [pixel(0.25, 0.25), pixel(0.75, 0.75)],
  };
}

export const uploads = { photo, draw, upload };
