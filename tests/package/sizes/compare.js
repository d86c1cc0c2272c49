// Compares what a page loads for the smallest useful call, with this package and with the clients of
// similar APIs. All are bundled and minified by esbuild.
//
//   npm ci --prefix tests/package/sizes && node tests/package/sizes/compare.js

import { readFileSync, readdirSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { build } from "esbuild";

const here = import.meta.dirname;
const pkg = `${here}/../../../pkg`;

/** @type {Record<string, string>} */
const calls = {
  "csm-image-to-3d": `
    import { imageTo3d } from "${pkg}/index.js";
    export const make = (image) => imageTo3d({ image, baseUrl: "/api" });`,
  "@fal-ai/client": `
    import { fal } from "@fal-ai/client";
    fal.config({ proxyUrl: "/api" });
    export const make = (image_url) => fal.subscribe("fal-ai/triposr", { input: { image_url } });`,
  replicate: `
    import Replicate from "replicate";
    const replicate = new Replicate({ baseUrl: "/api" });
    export const make = (image) => replicate.run("firtoz/trellis", { input: { images: [image] } });`,
  openai: `
    import OpenAI from "openai";
    const openai = new OpenAI({ baseURL: "/api", apiKey: "", dangerouslyAllowBrowser: true });
    export const make = (image) =>
      openai.images.edit({ model: "gpt-image-1", image, prompt: "from behind" });`,
};

/** @type {Record<string, object>} */
const table = {};
for (const [name, contents] of Object.entries(calls)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    // The WebAssembly is counted as a binary file, without base64.
    external: [`*/wasm/inlined.js`],
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const files = outputFiles.map(({ contents }) => contents);
  if (name === "csm-image-to-3d") {
    const wasm = readdirSync(`${pkg}/wasm`).find((name) => /^csm_.*\.wasm$/.test(name));
    files.push(readFileSync(`${pkg}/wasm/${wasm}`));
  }
  const sum = (/** @type {(file: Uint8Array) => number} */ size) =>
    files.reduce((all, file) => all + size(file), 0);
  table[name] = {
    version: version(name),
    raw: sum((file) => file.length),
    gzip: sum((file) => gzipSync(file, { level: 9 }).length),
    brotli: sum((file) => brotliCompressSync(file).length),
  };
}
console.table(table);

/** @param {string} name */
function version(name) {
  const folder = name === "csm-image-to-3d" ? pkg : `${here}/node_modules/${name}`;
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).version;
}
