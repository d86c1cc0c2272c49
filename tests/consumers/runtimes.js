// Runtimes that import the package without a bundler, and workerd.

import { join } from "node:path";

import { server } from "../support/browsers.js";
import { run, start } from "./programs.js";
import { assertSession, consumer } from "./report.js";
import { startWorkerd } from "./workerd.js";
import { assertSingleWasm, createApp, measureBuild } from "./workspace.js";

const env = { SERVER: server };

/** Defines the tests. */
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
 * @param {import("./workspace.js").Variant} [variant]
 */
function inTerminal(name, tool, [program, ...args], variant = {}) {
  consumer(name, tool, async () => {
    const cwd = createApp(name, { script: "in-terminal.js", ...variant });
    const result = await run(program, [...args, "src/index.js"], { cwd, env });
    await assertSession(JSON.parse(result), variant);
  });
}

/** Bundles like wrangler: esbuild with these conditions, and each WebAssembly as a module. */
async function workerd() {
  const path = createApp("workerd");
  await run(
    "esbuild",
    [
      ...["src/in-workerd.js", "--bundle", "--format=esm", "--outdir=dist"],
      ...["--conditions=workerd,worker,browser", "--loader:.wasm=copy"],
    ],
    { cwd: path },
  );
  const { address, stop } = await startWorkerd(join(path, "dist"), "in-workerd.js", env);
  const response = await fetch(address);
  const text = await response.text();
  await assertSession(response.ok ? JSON.parse(text) : text);
  stop();
  return assertSingleWasm(measureBuild(join(path, "dist")), { wasm: "files" });
}

/** Runs an app against the sandbox server that `npx` starts from the installed package. */
async function npx() {
  const flags = ["csm-image-to-3d", "--port", "0"];
  const { match, stop } = await start("npx", flags, /listening on (\S+)/);
  const baseUrl = match[1];
  const cwd = createApp("npx", { script: "in-terminal.js" });
  const result = await run("node", ["src/index.js"], { cwd, env: { SERVER: baseUrl } });
  await assertSession(JSON.parse(result), { baseUrl });
  stop();
}
