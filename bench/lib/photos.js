// Photos to prepare, drawn and encoded by Chromium.

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";

import puppeteer from "puppeteer-core";

const folder = "target/bench/images";

/** A photo from the samples, which is enlarged. */
const sample = "www/samples/chelsea.png";

/** @typedef {{ megapixels: number, path: string, bytes: number }} Photo */

/**
 * Writes JPEGs of these sizes with the proportions 4:3: an enlarged photo with the noise of a sensor,
 * because a smooth image would be smaller and decode faster than a photo.
 *
 * @param {number[]} megapixels
 * @returns {Promise<Photo[]>}
 */
export async function drawPhotos(megapixels) {
  mkdirSync(folder, { recursive: true });
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-3d-apis"],
    protocolTimeout: 300_000,
  });
  try {
    const page = await browser.newPage();
    const source = readFileSync(sample).toString("base64");
    /** @type {Photo[]} */
    const photos = [];
    for (const size of megapixels) {
      const width = Math.round(Math.sqrt((size * 1e6 * 4) / 3));
      const base64 = await page.evaluate(drawPhoto, { source, width, height: (width * 3) / 4 });
      const path = `${folder}/photo-${size}.jpg`;
      writeFileSync(path, Buffer.from(base64, "base64"));
      photos.push({ megapixels: size, path, bytes: statSync(path).size });
    }
    return photos;
  } finally {
    await browser.close();
  }
}

/**
 * Runs in the page.
 *
 * @param {{ source: string, width: number, height: number }} photo
 * @returns {Promise<string>} a JPEG in base64
 */
async function drawPhoto({ source, width, height }) {
  const blob = await (await fetch(`data:image/png;base64,${source}`)).blob();
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(await createImageBitmap(blob), 0, 0, width, height);
  // The same noise in each tile, whose size is no multiple of the blocks of a JPEG.
  const tile = new OffscreenCanvas(509, 509);
  const noise = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
  const pixels = noise.createImageData(509, 509);
  let state = 1;
  for (let at = 0; at < pixels.data.length; at += 4) {
    state = (state * 48271) % 2147483647;
    pixels.data.fill(state & 255, at, at + 3);
    pixels.data[at + 3] = 24;
  }
  noise.putImageData(pixels, 0, 0);
  context.fillStyle = /** @type {CanvasPattern} */ (context.createPattern(tile, "repeat"));
  context.fillRect(0, 0, width, height);
  const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  const reader = new FileReader();
  await new Promise((resolve) => {
    reader.onload = resolve;
    reader.readAsDataURL(jpeg);
  });
  return String(reader.result).split(",")[1];
}
