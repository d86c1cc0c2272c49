// Statistics of repeated measurements.

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} p25
 * @property {number} p75
 * @property {number} runs
 * @property {number[]} values of the runs, which `results.json` leaves out
 */

/**
 * Returns the median and the quartiles.
 *
 * @param {number[]} values
 * @returns {Summary}
 */
export function summarize(values) {
  const [p25, median, p75] = [0.25, 0.5, 0.75].map((part) => quantile(values, part));
  return { median, p25, p75, runs: values.length, values };
}

/**
 * Returns a time as a multiple of another one; `NaN` if that is missing. Compares the lower quartiles:
 * what disturbs a run only makes it longer, and moves the medians of few runs by up to 300 ms.
 *
 * @param {Summary} time
 * @param {Summary | undefined} whole
 */
export const ratio = (time, whole) => time.p25 / (whole?.p25 ?? NaN);

/**
 * Returns a quantile, interpolated linearly.
 *
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
 * Returns the values in random order.
 *
 * @template T
 * @param {readonly T[]} values
 * @returns {T[]}
 */
export function shuffle(values) {
  const all = [...values];
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}

/**
 * Formats a number with about three significant digits; "–" if it is missing (`NaN`).
 *
 * @param {number} value
 */
export function formatNumber(value) {
  if (Number.isNaN(value)) return "–";
  if (value === Infinity) return "∞";
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

/**
 * Formats the median and the quartiles.
 *
 * @param {Summary} summary
 */
export function formatSummary({ median, p25, p75 }) {
  return `${formatNumber(median)} (${formatNumber(p25)} – ${formatNumber(p75)})`;
}
