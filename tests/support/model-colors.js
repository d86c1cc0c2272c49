// Reads the colors of a model's front at points of the picture that it was made from.

import sharp from "sharp";

/** @typedef {[number, number, number]} Vector */

/**
 * @typedef {object} Gltf
 * @property {{ primitives: { attributes: Record<string, number>, indices: number }[] }[]} meshes
 * @property {{ bufferView: number, byteOffset?: number, componentType: number, count: number, type: string }[]} accessors
 * @property {{ byteOffset?: number, byteLength: number }[]} bufferViews
 * @property {{ bufferView: number }[]} images
 */

const COMPONENTS = /** @type {const} */ ({ SCALAR: 1, VEC2: 2, VEC3: 3 });

/** @param {Buffer} glb */
function parseGlb(glb) {
  const length = glb.readUInt32LE(12);
  /** @type {Gltf} */
  const json = JSON.parse(glb.subarray(20, 20 + length).toString());
  const data = glb.subarray(20 + length + 8);
  /** @param {number} index */
  const view = (index) => {
    const { byteOffset = 0, byteLength } = json.bufferViews[index];
    return data.subarray(byteOffset, byteOffset + byteLength);
  };
  /**
   * Returns the elements of an accessor.
   *
   * @param {number} index
   */
  const read = (index) => {
    const { bufferView, byteOffset = 0, componentType, count, type } = json.accessors[index];
    const bytes = view(bufferView).subarray(byteOffset);
    const size = COMPONENTS[/** @type {keyof typeof COMPONENTS} */ (type)];
    const number = (/** @type {number} */ at) => {
      if (componentType === 5126) return bytes.readFloatLE(4 * at);
      if (componentType === 5125) return bytes.readUInt32LE(4 * at);
      return bytes.readUInt16LE(2 * at);
    };
    return Array.from({ length: count }, (_, element) =>
      Array.from({ length: size }, (_, part) => number(size * element + part)),
    );
  };
  return { json, view, read };
}

/**
 * Returns the color of the front at points of the picture, whose coordinates are from 0 to 1 from the
 * upper left, or `undefined` where the model has no front.
 *
 * @param {Buffer} glb
 * @param {[number, number][]} points
 */
export async function frontColors(glb, points) {
  const { json, view, read } = parseGlb(glb);
  const { attributes, indices } = json.meshes[0].primitives[0];
  const positions = read(attributes.POSITION);
  const coordinates = read(attributes.TEXCOORD_0);
  const corners = read(indices).flat();
  const texture = sharp(view(json.images[0].bufferView)).removeAlpha().raw();
  const { data, info } = await texture.toBuffer({ resolveWithObject: true });
  const bound = (/** @type {number} */ axis) => {
    const values = positions.map((position) => position[axis]);
    const least = values.reduce((a, b) => Math.min(a, b));
    return { least, length: values.reduce((a, b) => Math.max(a, b)) - least };
  };
  const [across, up] = [bound(0), bound(1)];

  return points.map(([right, down]) => {
    const x = across.least + right * across.length;
    const y = up.least + (1 - down) * up.length;
    for (let corner = 0; corner < corners.length; corner += 3) {
      const triangle = corners.slice(corner, corner + 3);
      const weights = frontWeights(
        triangle.map((index) => positions[index]),
        x,
        y,
      );
      if (!weights) continue;
      const at = (/** @type {number} */ axis) =>
        triangle.reduce((sum, index, at) => sum + weights[at] * coordinates[index][axis], 0);
      const column = Math.min(Math.floor(at(0) * info.width), info.width - 1);
      const row = Math.min(Math.floor(at(1) * info.height), info.height - 1);
      const start = info.channels * (row * info.width + column);
      return [...data.subarray(start, start + 3)];
    }
    return undefined;
  });
}

/**
 * Returns the barycentric coordinates of a point in a triangle that faces the front, or `undefined` if
 * it faces another side or does not contain the point.
 *
 * @param {number[][]} triangle
 * @param {number} x
 * @param {number} y
 */
function frontWeights([[ax, ay], [bx, by], [cx, cy]], x, y) {
  const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
  if (area <= 0) return undefined;
  const b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area;
  const c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
  const weights = [1 - b - c, b, c];
  return weights.every((weight) => weight >= 0) ? weights : undefined;
}
