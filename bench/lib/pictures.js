// Files to send, and whether what was sent is right.

import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";

const folder = "target/bench/pictures";

/** @typedef {{ path: string, megabytes: number, bytes: number, hash: string }} Picture */

/**
 * A file that begins as a PNG does; the rest is noise, since nobody decodes it.
 *
 * @param {number} megabytes
 * @returns {Picture}
 */
export function picture(megabytes) {
  const content = randomFillSync(Buffer.alloc(megabytes * 1_000_000));
  content.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const path = `${folder}/${megabytes}.png`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, content);
  return { path, megabytes, bytes: content.length, hash: sha256(content) };
}

/**
 * Throws unless the body is what the API asks for, with exactly this picture.
 *
 * @param {string} way
 * @param {Buffer} body
 * @param {Picture} picture
 */
export function checkBody(way, body, { bytes, hash, megabytes }) {
  const prefix = "data:image/png;base64,";
  const start = body.indexOf(prefix) + prefix.length;
  const end = body.indexOf('"', start);
  const rest = JSON.parse(body.toString("latin1", 0, start) + body.toString("latin1", end));
  const right =
    rest.image_url === prefix && rest.creativity === "lowest" && Object.keys(rest).length === 2;
  const content = Buffer.from(body.toString("latin1", start, end), "base64");
  const length = Math.ceil(bytes / 3) * 4;
  if (!right || end - start !== length || sha256(content) !== hash) {
    throw new Error(`${way}: the body with ${megabytes} MB is wrong`);
  }
}

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
