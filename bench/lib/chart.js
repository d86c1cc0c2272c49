// Draws the results as SVG.

import { limit, methodNames } from "../methods.js";
import { ratios } from "../upload.js";
import { formatNumber } from "./statistics.js";

/** @typedef {{ title: string, bars: { label: string, value: number, unit: string }[] }} Panel */

const WIDTH = 860;
const LABELS = 300;
const VALUES = 90;
const LINE = 24;

/**
 * @param {import("../measurements.js").Results} results
 * @returns {string | undefined} SVG; `undefined` without results
 */
export function chart({ upload = [], memory = [], "main-thread": mainThread = [] }) {
  const largest = (/** @type {{ megabytes: number }[]} */ rows) =>
    Math.max(...rows.map(({ megabytes }) => megabytes));
  /** @type {Panel[]} */
  const panels = [];
  for (const browser of new Set(upload.map(({ browser }) => browser))) {
    const sizes = upload.filter((row) => row.browser === browser && row.megabytes <= 32);
    const megabytes = largest(sizes);
    panels.push({
      title: `Sending ${megabytes} MB in ${browser}: time as a multiple of the limit`,
      bars: Object.entries(ratios(upload, browser, megabytes, limit))
        .filter(([method]) => method in methodNames)
        .map(([method, value]) => ({ label: methodNames[method], value, unit: "×" })),
    });
  }
  if (memory.length > 0) {
    const megabytes = largest(memory);
    panels.push({
      title: `Sending ${megabytes} MB: peak memory growth of the page's process`,
      bars: memory
        .filter((row) => row.megabytes === megabytes)
        .map(({ method, page }) => ({
          label: methodNames[method],
          value: page.median,
          unit: " MB",
        })),
    });
  }
  if (mainThread.length > 0) {
    const megabytes = largest(mainThread);
    panels.push({
      title: `Sending ${megabytes} MB: longest task of the main thread`,
      bars: mainThread
        .filter((row) => row.megabytes === megabytes)
        .map(({ method, longest }) => ({
          label: methodNames[method],
          value: longest.median,
          unit: " ms",
        })),
    });
  }
  return panels.length > 0 ? draw(panels) : undefined;
}

/** @param {Panel[]} panels */
function draw(panels) {
  const parts = [];
  let y = 20;
  for (const { title, bars } of panels) {
    parts.push(`<text class="title" x="20" y="${y + 14}">${escapeText(title)}</text>`);
    y += 28;
    const maximum = Math.max(...bars.map(({ value }) => value));
    for (const [at, { label, value, unit }] of bars.entries()) {
      const length = Math.max(2, (value / maximum) * (WIDTH - LABELS - VALUES - 20));
      const own = at === 0 ? ' class="own"' : "";
      parts.push(
        `<text${own} x="${LABELS}" y="${y + 13}" text-anchor="end">${escapeText(label)}</text>`,
        `<rect${own} x="${LABELS + 8}" y="${y}" width="${length.toFixed(1)}" height="17" rx="2"/>`,
        `<text${own} x="${(LABELS + 14 + length).toFixed(1)}" y="${y + 13}">${formatNumber(value)}${unit}</text>`,
      );
      y += LINE;
    }
    y += 14;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">`,
    "<title>Comparison of the library with the baselines</title>",
    "<style>",
    "  text { font: 13px system-ui, sans-serif; fill: #444; }",
    "  rect { fill: #b9c0c8; }",
    "  text.own, text.title { font-weight: 600; fill: #111; }",
    "  rect.own { fill: #2b7a5b; }",
    "</style>",
    `<rect style="fill: #fff" width="${WIDTH}" height="${y}" rx="8"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** Escapes text for SVG, and removes Markdown's backticks. @param {string} text */
const escapeText = (text) =>
  text.replaceAll("`", "").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
