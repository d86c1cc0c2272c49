// Runtimes that import the package themselves.

import { join } from "node:path";

import { server } from "../support/browsers.js";
import { emitted, folder, oneWasm } from "./folder.js";
import { run, start } from "./programs.js";
import { assertMade, consumer } from "./report.js";
import { startWorkerd } from "./workerd.js";

const env = { SERVER: server };

/** Declares the tests. */
export function runtimes() {
  const deno = ["deno", "run", "--allow-net", "--allow-env=SERVER"];
  for (const [name, tool, command] of /** @type {const} */ ([
    ["Node.js", `Node.js ${process.version}`, ["node"]],
    ["Deno", "deno", deno],
    ["Bun", "bun", ["bun"]],
  ])) {
    inTerminal(name, tool, command);
    inTerminal(`${name}, sandbox`, tool, command, { sandbox: "csm-image-to-3d/sandbox" });
  }
  inTerminal("Node.js, external", `Node.js ${process.version}`, ["node"], {
    entry: "csm-image-to-3d/external",
    script: "in-terminal-external.js",
  });
  consumer("workerd", "workerd", workerd);
  consumer("npx", `Node.js ${process.version}`, npx);
}

/**
 * @param {string} name
 * @param {string} tool
 * @param {readonly string[]} command
 * @param {import("./folder.js").Variant} [variant]
 */
function inTerminal(name, tool, [program, ...args], variant = {}) {
  consumer(name, tool, async () => {
    const cwd = folder(name, { script: "in-terminal.js", ...variant });
    const result = await run(program, [...args, "src/index.js"], { cwd, env });
    await assertMade(JSON.parse(result), variant);
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
  return oneWasm(emitted(join(path, "dist")), { wasm: "files" });
}

/** The sandbox as a server, started from the installed package, and an app that calls it. */
async function npx() {
  const flags = ["csm-image-to-3d", "--port", "0"];
  const { match, stop } = await start("npx", flags, /listening on (\S+)/);
  const at = match[1];
  const cwd = folder("npx", { script: "in-terminal.js" });
  const result = await run("node", ["src/index.js"], { cwd, env: { SERVER: at } });
  await assertMade(JSON.parse(result), { at });
  stop();
}
