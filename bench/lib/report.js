// Writes the results as Markdown.

import { goals } from "../goals.js";
import { formatNumber } from "./statistics.js";

/**
 * @typedef {object} Table
 * @property {string} [caption]
 * @property {string[]} head
 * @property {(string | number)[][]} rows
 *
 * @typedef {object} Chapter
 * @property {string} title
 * @property {string} note
 * @property {Table[]} tables
 */

/**
 * @param {import("../measurements.js").Run} run
 * @param {Chapter[]} chapters
 */
export function markdown({ command, machine, versions, results }, chapters) {
  const goalRows = goals(results).map(({ name, unit, maximum, measured = NaN }) => [
    name,
    `${maximum} ${unit}`,
    `${formatNumber(measured)} ${unit}`,
    measured <= maximum ? "yes" : "**no**",
  ]);
  return [
    "# Benchmark results",
    "Compares the library with the code that its users would write instead, in one run on one machine. " +
      "The absolute numbers depend on the machine; compare the ratios, which are those of the lower quartiles (25th percentiles). No debugger was attached to " +
      `the pages. Written by \`${command}\`; [LIMITS.md](LIMITS.md) explains the goals that are not reached.`,
    "![Comparison of the library with the baselines](results.svg)",
    table({
      head: ["", ""],
      rows: Object.entries({ ...machine, ...versions }),
    }),
    "## Goals",
    goalRows.length > 0
      ? table({ head: ["goal", "at most", "measured", "reached"], rows: goalRows })
      : "No goal was measured.",
    ...chapters.flatMap(({ title, note, tables }) => [`## ${title}`, note, ...tables.map(table)]),
  ]
    .join("\n\n")
    .concat("\n");
}

/**
 * Describes how this build compares with another one.
 *
 * @param {import("../measurements.js").Run} run
 * @param {string} baseline the folder of the other build
 * @param {Table} comparisons
 */
export const comparisonMarkdown = ({ command, machine, versions }, baseline, comparisons) =>
  [
    "# Comparison of two builds",
    "Compares this build of the package (new) with the one in " +
      `\`${baseline}\` (old), in one run on one machine, in random order. The old build is measured ` +
      "twice. All numbers compare lower quartiles (25th percentiles). *Spread*: the largest ratio between " +
      "two random halves of the old build's runs. *Worse beyond the spread*: new / old is larger than " +
      `that, and the difference is more than 1 ms or 1 MB. Written by \`${command}\`.`,
    table({ head: ["", ""], rows: Object.entries({ ...machine, ...versions }) }),
    table(comparisons),
  ]
    .join("\n\n")
    .concat("\n");

/** @param {Table} table */
function table({ caption, head, rows }) {
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(" | ")} |`;
  const lines = [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
  return caption ? `### ${caption}\n\n${lines}` : lines;
}
