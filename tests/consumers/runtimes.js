// Runtimes that import the package themselves.

import { join } from "node:path";

import { server } from "../browsers.js";
import { emitted, folder, oneWasm } from "./folder.js";
import { run } from "./programs.js";
import { assertMade, consumer } from "./report.js";
import { startWorkerd } from "./workerd.js";

const env = { SERVER: server };

/** Declares the tests. */
export function runtimes() {
  inTerminal("Node.js", `Node.js ${process.version}`, ["node"]);
  inTerminal("Deno", "deno", ["deno", "run", "--allow-net", "--allow-env=SERVER"]);
  inTerminal("Bun", "bun", ["bun"]);
  inTerminal("Node.js, external", `Node.js ${process.version}`, ["node"], {
    entry: "csm-image-to-3d/external",
    script: "in-terminal-external.js",
  });
  consumer("workerd", "workerd", workerd);
}

/**
 * @param {string} name
 * @param {string} tool
 * @param {string[]} command
 * @param {import("./folder.js").Variant} [variant]
 */
function inTerminal(name, tool, [program, ...args], variant = { script: "in-terminal.js" }) {
  consumer(name, tool, async () => {
    const cwd = folder(name, variant);
    await assertMade(JSON.parse(await run(program, [...args, "src/index.js"], { cwd, env })));
  });
}

/** Bundled as Cloudflare's own tool does it: esbuild, these conditions, each wasm a module beside. */
async function workerd() {
  const path = folder("workerd");
  await run(
    "esbuild",
    [
      ...["src/in-workerd.js", "--bundle", "--format=esm", "--outdir=dist"],
      ...["--conditions=workerd,worker,browser", "--loader:.wasm=copy"],
    ],
    { cwd: path },
  );
  const { address, stop } = await startWorkerd(join(path, "dist"), "in-workerd.js", env);
  const answer = await fetch(address);
  const text = await answer.text();
  await assertMade(answer.ok ? JSON.parse(text) : text);
  stop();
  return oneWasm(emitted(join(path, "dist")), "files");
}
