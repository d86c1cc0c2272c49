// The results as Markdown.

import { goals } from "../goals.js";
import { shown } from "./statistics.js";

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
 * @param {import("../run.js").Run} run
 * @param {Chapter[]} chapters
 */
export function markdown({ command, machine, versions, results }, chapters) {
  const met = goals(results).map(({ work, unit, most, measured = NaN }) => [
    work,
    `${most} ${unit}`,
    `${shown(measured)} ${unit}`,
    measured <= most ? "yes" : "**no**",
  ]);
  return [
    "# Measured side by side",
    "What the library takes, beside what its users would write instead, in one run on one machine. " +
      "The absolute figures belong to that machine; the ratios are what counts. No " +
      `debugger was attached to the pages while they were measured. Written by \`${command}\`.`,
    "![The library beside the other ways](results.svg)",
    table({
      head: ["", ""],
      rows: Object.entries({ ...machine, ...versions }),
    }),
    "## Goals",
    met.length > 0
      ? table({ head: ["work", "at most", "measured", "reached"], rows: met })
      : "None.",
    ...chapters.flatMap(({ title, note, tables }) => [`## ${title}`, note, ...tables.map(table)]),
  ]
    .join("\n\n")
    .concat("\n");
}

/** @param {Table} table */
function table({ caption, head, rows }) {
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(" | ")} |`;
  const lines = [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
  return caption ? `### ${caption}\n\n${lines}` : lines;
}
