// Images to send, and a check of the bodies that carry them.

import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";

const folder = "target/bench/images";

/** @typedef {{ path: string, megabytes: number, bytes: number, hash: string }} ImageFile */

/**
 * Writes a file that starts like a PNG. The rest is noise: no measurement decodes it.
 *
 * @param {number} megabytes
 * @returns {ImageFile}
 */
export function createImage(megabytes) {
  const content = randomFillSync(Buffer.alloc(megabytes * 1_000_000));
  content.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const path = `${folder}/${megabytes}.png`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, content);
  return { path, megabytes, bytes: content.length, hash: sha256(content) };
}

/**
 * Fails unless the body is the expected create request with exactly this image.
 *
 * @param {string} method
 * @param {Buffer} body
 * @param {ImageFile} image
 */
export function checkBody(method, body, { bytes, hash, megabytes }) {
  const prefix = "data:image/png;base64,";
  const start = body.indexOf(prefix) + prefix.length;
  const end = body.indexOf('"', start);
  const rest = JSON.parse(body.toString("latin1", 0, start) + body.toString("latin1", end));
  const isCreateRequest =
    rest.image_url === prefix && rest.creativity === "lowest" && Object.keys(rest).length === 2;
  const content = Buffer.from(body.toString("latin1", start, end), "base64");
  const length = Math.ceil(bytes / 3) * 4;
  if (!isCreateRequest || end - start !== length || sha256(content) !== hash) {
    throw new Error(`${method}: wrong body for ${megabytes} MB`);
  }
}

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
