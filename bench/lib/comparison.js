// Compares this build with another one, by runs of both in the same pages.

import { formatNumber, quantile, shuffle, summarize } from "./statistics.js";

/** @import { BuildName } from "../methods.js" */
/** @import { Table } from "./report.js" */
/** @import { Summary } from "./statistics.js" */

/**
 * The runs of one build.
 *
 * @typedef {object} Series
 * @property {string} measurement
 * @property {string} unit
 * @property {string} method a name of `buildNames`
 * @property {Summary} summary
 *
 * @typedef {object} Comparison
 * @property {string} measurement
 * @property {string} unit
 * @property {Record<BuildName, number>} quartiles the lower ones
 * @property {number} runs of each build
 * @property {number} newToOld by lower quartiles; all runs of the old build count
 * @property {number} oldToOld by lower quartiles: the old build a second time, compared with its first
 * @property {number} spread of the old build against itself: see `spreadOf`
 * @property {boolean} isWorse
 */

/** Differences up to this are not worse, whatever their ratio: milliseconds or megabytes. */
const RESOLUTION = 1;

/** How often the runs of the old build are divided at random. */
const DIVISIONS = 2000;

/**
 * @param {Series[]} series
 * @returns {Comparison[]}
 */
export function compare(series) {
  const measurements = [...new Set(series.map(({ measurement }) => measurement))];
  return measurements.map((measurement) => {
    const same = series.filter((row) => row.measurement === measurement);
    const summaryOf = (/** @type {BuildName} */ name) => {
      const found = same.find(({ method }) => method === name);
      if (!found) throw new Error(`Missing the runs of ${name}: ${measurement}`);
      return found.summary;
    };
    const [now, old, oldAgain] = [summaryOf("library"), summaryOf("old"), summaryOf("oldAgain")];
    const oldRuns = [...old.values, ...oldAgain.values];
    const oldQuartile = summarize(oldRuns).p25;
    const newToOld = ratio(now.p25, oldQuartile);
    const spread = spreadOf(oldRuns);
    return {
      measurement,
      unit: same[0].unit,
      quartiles: { library: now.p25, old: old.p25, oldAgain: oldAgain.p25 },
      runs: now.runs,
      newToOld,
      oldToOld: ratio(oldAgain.p25, old.p25),
      spread,
      isWorse: newToOld > spread && now.p25 - oldQuartile > RESOLUTION,
    };
  });
}

/**
 * Returns the largest ratio between the lower quartiles of two halves of the runs, over many random
 * divisions. The ratio of the two series as they ran would be too small a bound: equal builds exceed
 * it in a quarter of all cases.
 *
 * @param {number[]} runs
 */
function spreadOf(runs) {
  let largest = 1;
  for (let division = 0; division < DIVISIONS; division++) {
    const shuffled = shuffle(runs);
    const half = shuffled.length / 2;
    const [a, b] = [shuffled.slice(0, half), shuffled.slice(half)].map((part) =>
      quantile(part, 0.25),
    );
    largest = Math.max(largest, ratio(a, b), ratio(b, a));
  }
  return largest;
}

/**
 * Divides; two values of zero are equal. Memory may shrink: what is below zero counts as zero.
 *
 * @param {number} value
 * @param {number} whole
 */
function ratio(value, whole) {
  const [above, below] = [Math.max(0, value), Math.max(0, whole)];
  return above === below ? 1 : above / below;
}

/**
 * @param {Comparison[]} comparisons
 * @returns {Table}
 */
export const comparisonTable = (comparisons) => ({
  head: [
    "measurement",
    "runs",
    "this build",
    "old build",
    "old build again",
    "new / old",
    "old / old",
    "spread",
    "worse beyond the spread",
  ],
  rows: comparisons.map(
    ({ measurement, unit, quartiles, runs, newToOld, oldToOld, spread, isWorse }) => [
      measurement,
      runs,
      `${formatNumber(quartiles.library)} ${unit}`,
      `${formatNumber(quartiles.old)} ${unit}`,
      `${formatNumber(quartiles.oldAgain)} ${unit}`,
      formatNumber(newToOld),
      formatNumber(oldToOld),
      formatNumber(spread),
      isWorse ? "**yes**" : "no",
    ],
  ),
});
