// `npx csm-image-to-3d` where npm has installed the native server.

import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { after, before, test } from "node:test";

import { imageTo3d } from "../../pkg/index.js";
import { startProgram, waitForOutput } from "../support/programs.js";
import { runNpx } from "../support/npx.js";

const folder = mkdtempSync(join(tmpdir(), "native-"));
const library = join(folder, "node_modules/csm-image-to-3d");
const name = `@csm-image-to-3d/server-${process.platform}-${process.arch}`;
const image = new Blob([readFileSync("www/samples/turtle.webp")]);

before(() => {
  cpSync("pkg", library, { recursive: true });
  const native = join(folder, "node_modules", name);
  mkdirSync(native, { recursive: true });
  writeFileSync(join(native, "package.json"), JSON.stringify({ name, version: "0.1.0" }));
  symlinkSync(
    resolve("target/debug/csm-image-to-3d-server"),
    join(native, "csm-image-to-3d-server"),
  );
  symlinkSync(resolve("dist"), join(native, "site"));
});
after(() => rmSync(folder, { recursive: true }));

/**
 * Starts the program with the native server.
 *
 * @param {string[]} flags
 * @param {Record<string, string>} [environment]
 */
const npx = (flags, environment) =>
  startProgram(process.execPath, [join(library, "bin.js"), ...flags], environment);

/**
 * Waits until a program listens, and returns its address.
 *
 * @param {ReturnType<typeof startProgram>} program
 */
const addressOf = async (program) =>
  String((await waitForOutput(program, /listening on (\S+)\n/))[1]);

test("serves the demo page and the API, and stops with the native server", async () => {
  const program = npx(["--port", "0", "--speed", "20"]);
  const baseUrl = await addressOf(program);
  const page = await fetch(baseUrl);
  assert.match(await page.text(), /<title>/);
  // Only the native server has it.
  assert.equal((await fetch(`${baseUrl}/health`)).status, 200);
  const session = await imageTo3d({ image, baseUrl, interval: 50 });
  assert.equal(session.status, "preview_done");

  program.child.kill("SIGTERM");
  assert.equal((await program.ended).code, 0);
  await assert.rejects(fetch(baseUrl));
});

test("passes flags on, and returns the exit code and the messages", async () => {
  const { code, err } = await npx(["--prot", "1"]).ended;
  assert.equal(code, 2);
  assert.match(err, /unexpected argument '--prot'/);
  const help = await npx(["--help"]).ended;
  assert.equal(help.code, 0);
  assert.match(help.out, /Usage: csm-image-to-3d \[OPTIONS\][^]*--engine/);
});

test("--open opens the page in the browser", { skip: process.platform !== "linux" }, async () => {
  const programs = join(folder, "programs");
  const opened = join(folder, "opened");
  mkdirSync(programs);
  writeFileSync(
    join(programs, "xdg-open"),
    `#!/bin/sh\nprintf %s "$1" > ${opened}.part\nmv ${opened}.part ${opened}\n`,
  );
  chmodSync(join(programs, "xdg-open"), 0o755);
  const program = npx(["--port", "0", "--open"], {
    PATH: [programs, process.env.PATH].join(delimiter),
  });
  const address = await addressOf(program);
  while (!existsSync(opened)) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(readFileSync(opened, "utf8"), `${address}/`);
  program.child.kill();
  await program.ended;
});

test("--wasm runs the WebAssembly server", async () => {
  const { code, out } = await npx(["--wasm", "--help"]).ended;
  assert.equal(code, 0);
  assert.match(out, /This is the WebAssembly server\./);
  const { err } = await npx(["--wasm", "--engine", "fal"]).ended;
  assert.match(err, /^Unknown option '--engine'\. .*It runs without --wasm\.$/m);
});

test("without the native server, an unknown flag names the missing package", async () => {
  const { code, err } = await runNpx("--engine", "fal");
  assert.equal(code, 2);
  assert.ok(err.includes(`The package ${name} is not installed`), err);
});
