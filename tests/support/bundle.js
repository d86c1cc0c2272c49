import { build } from "esbuild";

/**
 * Bundles a script of this folder for a page, and returns its text. Imports from `/pkg/` stay: the
 * page's server has them.
 *
 * @param {string} name
 */
export async function bundleForPage(name) {
  const { outputFiles } = await build({
    entryPoints: [`tests/support/${name}`],
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    external: ["/pkg/*"],
  });
  return outputFiles[0].text;
}
