// Measures how near models are to true shapes, and whether objects stand. No time is measured.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { formatNumber } from "./lib/statistics.js";

/**
 * The numbers of a model, or their means. Lengths are in parts of the true model's longest edge.
 *
 * @typedef {object} Scores
 * @property {number} chamfer the mean distance of both surfaces
 * @property {number} f2 the F-score at 2 % of the size
 * @property {number} f5 the F-score at 5 % of the size
 * @property {number} normals the mean angle between the surfaces in front, in degrees
 * @property {number} sideIou the common part of both silhouettes from the side
 */
/**
 * @typedef {object} Shape
 * @property {string} name
 * @property {View} view
 * @property {Scores} model
 * @property {Scores} extruded01 the outline, extruded by 0.1 of the size
 * @property {Scores} extruded02 the outline, extruded by 0.2 of the size
 *
 * @typedef {"front" | "three-quarter"} View
 * @typedef {{ stands: number, stretched: number }} Emoji parts of the emoji, and of their surface
 * @typedef {{ shapes: Record<View, Scores>, emoji: Emoji }} First
 */

export const title = "Shapes";

export const note =
  "Eight models that packages contain (`tests/fixtures/models`), drawn from the front and from above to " +
  "the side: `cargo run --example measure-shapes` makes models of these pictures and compares them with " +
  "the true ones. Width and height are tied to the picture; only in depth the model is moved to where it " +
  "is nearest. *Chamfer* is the mean distance of both surfaces in parts of the true model's longest edge, " +
  "*F* the harmonic mean of the parts of both surfaces within 2 % or 5 % of the other, *normals* the mean " +
  "angle between the surfaces that are seen from the front, *side* the common part of both silhouettes " +
  "from the side. *First* is the engine before it gave objects a base and a back of their own. For " +
  "comparison, the outline is extruded by 0.1 and 0.2 of the size, as tools without a network do.\n\n" +
  "An emoji *stands* if its center of mass is over the hull of the points within 1 % of its height from " +
  "the lowest. *Stretched* is the part of the surface on which the texture is stretched more than 3 times " +
  "as much in one direction as in the other.";

const program = "target/server/examples/measure-shapes";
const views = /** @type {const} */ (["front", "three-quarter"]);

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure({ log }) {
  const folders = ["tests/fixtures/models", "node_modules/@lobehub/fluent-emoji-3d/assets"];
  const output = execFileSync(program, folders, { encoding: "utf8" });
  /** @type {{ shapes: Shape[], emoji: { stands: boolean, stretched: number }[] }} */
  const { shapes, emoji } = JSON.parse(output);
  log(`${shapes.length} pictures of models, ${emoji.length} emoji`);
  return {
    shapes,
    emoji: {
      count: emoji.length,
      stands: mean(emoji.map(({ stands }) => Number(stands))),
      stretched: mean(emoji.map(({ stretched }) => stretched)),
    },
  };
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * @param {Scores[]} all
 * @returns {Scores}
 */
function means(all) {
  const of = (/** @type {keyof Scores} */ name) => mean(all.map((scores) => scores[name]));
  return {
    chamfer: of("chamfer"),
    f2: of("f2"),
    f5: of("f5"),
    normals: of("normals"),
    sideIou: of("sideIou"),
  };
}

/** @param {Scores} scores */
const cells = ({ chamfer, f2, f5, normals, sideIou }) => [
  chamfer.toFixed(4),
  f2.toFixed(3),
  f5.toFixed(3),
  `${normals.toFixed(1)}°`,
  sideIou.toFixed(3),
];

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ shapes, emoji }) {
  /** @type {First} */
  const first = JSON.parse(readFileSync("bench/shapes-first.json", "utf8"));
  const head = ["Chamfer", "F 2 %", "F 5 %", "normals", "side"];
  const rows = (/** @type {string} */ name, /** @type {View[]} */ of) => {
    const seen = shapes.filter(({ view }) => of.includes(view));
    return [
      [name, "**now**", ...cells(means(seen.map(({ model }) => model)))],
      [name, "first", ...cells(means(of.map((view) => first.shapes[view])))],
      [name, "extruded, 0.1", ...cells(means(seen.map(({ extruded01 }) => extruded01)))],
      [name, "extruded, 0.2", ...cells(means(seen.map(({ extruded02 }) => extruded02)))],
    ];
  };
  const percent = (/** @type {number} */ part) => `${formatNumber(100 * part)} %`;
  return [
    {
      head: ["means", "", ...head],
      rows: [...rows("both", [...views]), ...views.flatMap((view) => rows(view, [view]))],
    },
    {
      head: ["now", "", ...head],
      rows: shapes.map(({ name, view, model }) => [name, view, ...cells(model)]),
    },
    {
      head: [`${emoji.count} emoji`, "first", "now"],
      rows: [
        ["stand", percent(first.emoji.stands), percent(emoji.stands)],
        ["stretched", percent(first.emoji.stretched), percent(emoji.stretched)],
      ],
    },
  ];
}
