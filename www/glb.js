// What a GLB says of itself.

/**
 * As much of a glTF document as is read here.
 *
 * @typedef {object} Document
 * @property {{ mesh?: number }[]} [nodes]
 * @property {{ primitives: Primitive[] }[]} [meshes]
 * @property {{ count: number }[]} [accessors]
 *
 * @typedef {object} Primitive
 * @property {number} [mode]
 * @property {number} [indices]
 * @property {{ POSITION?: number }} attributes
 */

/** @type {Record<number, (corners: number) => number>} how many faces there are of each `mode` */
const faces = {
  4: (corners) => corners / 3,
  5: (corners) => corners - 2,
  6: (corners) => corners - 2,
};

/**
 * The number of triangles in a GLB, those of a mesh that stands at several nodes as often.
 *
 * @param {Blob} glb
 */
export async function countFaces(glb) {
  const { nodes = [], meshes = [], accessors = [] } = await json(glb);
  const primitives = nodes.flatMap(({ mesh }) =>
    mesh === undefined ? [] : (meshes[mesh]?.primitives ?? []),
  );
  return primitives.reduce((sum, { mode = 4, indices, attributes }) => {
    const corners = accessors[indices ?? attributes.POSITION ?? -1]?.count ?? 0;
    return sum + (faces[mode]?.(corners) ?? 0);
  }, 0);
}

/**
 * The JSON in a GLB: it comes first, after the file's header of 12 bytes and its own of 8.
 *
 * @param {Blob} glb
 * @returns {Promise<Document>}
 */
async function json(glb) {
  const length = new DataView(await glb.slice(12, 16).arrayBuffer()).getUint32(0, true);
  return JSON.parse(await glb.slice(20, 20 + length).text());
}
