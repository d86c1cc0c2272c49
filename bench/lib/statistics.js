// What is said of many runs of the same.

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} p25
 * @property {number} p75
 * @property {number} runs
 */

/**
 * @param {number[]} values
 * @returns {Summary}
 */
export function summary(values) {
  const [p25, median, p75] = [0.25, 0.5, 0.75].map((part) => quantile(values, part));
  return { median, p25, p75, runs: values.length };
}

/**
 * @param {number[]} values
 * @param {number} part from 0 to 1
 */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at % 1);
}

/**
 * @template T
 * @param {readonly T[]} values
 * @returns {T[]} the same in random order
 */
export function shuffled(values) {
  const all = [...values];
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}

/**
 * A number with as many digits as say something.
 *
 * @param {number} value
 */
export function shown(value) {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

/**
 * Median and spread.
 *
 * @param {Summary} of
 */
export function spread({ median, p25, p75 }) {
  return `${shown(median)} (${shown(p25)} – ${shown(p75)})`;
}
