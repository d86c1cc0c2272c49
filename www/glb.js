// Reads metadata from GLB files.

/**
 * The fields of a glTF document that `countFaces` reads.
 *
 * @typedef {object} GltfDocument
 * @property {{ mesh?: number }[]} [nodes]
 * @property {{ primitives: Primitive[] }[]} [meshes]
 * @property {{ count: number }[]} [accessors]
 *
 * @typedef {object} Primitive
 * @property {number} [mode]
 * @property {number} [indices]
 * @property {{ POSITION?: number }} attributes
 */

/**
 * The number of triangles by `mode`: triangles, triangle strip, triangle fan.
 *
 * @type {Record<number, (vertices: number) => number>}
 */
const trianglesByMode = {
  4: (vertices) => vertices / 3,
  5: (vertices) => vertices - 2,
  6: (vertices) => vertices - 2,
};

/**
 * Returns the number of triangles in a GLB. Counts a mesh once for each node that uses it.
 *
 * @param {Blob} glb
 */
export async function countFaces(glb) {
  const { nodes = [], meshes = [], accessors = [] } = await readDocument(glb);
  const primitives = nodes.flatMap(({ mesh }) =>
    mesh === undefined ? [] : (meshes[mesh]?.primitives ?? []),
  );
  return primitives.reduce((sum, { mode = 4, indices, attributes }) => {
    const vertices = accessors[indices ?? attributes.POSITION ?? -1]?.count ?? 0;
    return sum + (trianglesByMode[mode]?.(vertices) ?? 0);
  }, 0);
}

/**
 * Reads the JSON chunk of a GLB: the first chunk, after the 12-byte file header and its own 8-byte
 * header.
 *
 * @param {Blob} glb
 * @returns {Promise<GltfDocument>}
 */
async function readDocument(glb) {
  const length = new DataView(await glb.slice(12, 16).arrayBuffer()).getUint32(0, true);
  return JSON.parse(await glb.slice(20, 20 + length).text());
}
