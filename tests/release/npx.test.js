// The packed packages on a machine without Rust: `npx csm-image-to-3d` with the native server.
// `cargo xtask release` runs it; RELEASE is the folder of what it built.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";

import { imageTo3d } from "../../pkg/index.js";
import { kill, startProgram, waitForOutput } from "../support/programs.js";

const release = join(String(process.env.RELEASE), "npm");
const folder = mkdtempSync(join(tmpdir(), "release-"));
const home = join(folder, "home");
const app = join(folder, "app");

// Node.js and what the system itself brings.
const path = [dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"];
const programs = join(folder, "programs");
const environment = {
  PATH: [programs, ...path.filter((part) => !existsSync(join(part, "cargo")))].join(delimiter),
  HOME: home,
};

const image = new Blob([readFileSync("www/samples/coffee.jpg")]);

before(() => {
  for (const path of [home, app, programs]) mkdirSync(path);
  const platform = `${process.platform}-${process.arch}`;
  const packages = readdirSync(release).filter(
    (name) => /^csm-image-to-3d-\d/.test(name) || name.includes(`server-${platform}-`),
  );
  assert.equal(packages.length, 2, `no packages for ${platform} in ${release}`);
  const files = packages.map((name) => resolve(release, name));
  // The servers of other platforms are not published yet, which npm tolerates.
  const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
  execFileSync("npm", ["install", ...flags, ...files], { cwd: app, env: environment });
});
after(() => rmSync(folder, { recursive: true }));

/**
 * @param {string[]} flags
 * @param {Record<string, string>} [keys] further variables of the environment
 */
async function npx(flags, keys) {
  const command = ["--prefix", app, "exec", "--offline", "--", "csm-image-to-3d", "--port", "0"];
  const variables = { ...environment, ...keys };
  const program = startProgram("npm", [...command, ...flags], variables, { detached: true });
  const [, baseUrl] = await waitForOutput(program, /listening on (\S+)\n/);
  return { program, baseUrl };
}

test("keeps the manifest, but for the servers", () => {
  const read = (/** @type {string} */ path) => JSON.parse(readFileSync(path, "utf8"));
  const packed = read(join(app, "node_modules/csm-image-to-3d/package.json"));
  const { optionalDependencies, ...manifest } = packed;
  // Compares the order too, by which Node.js chooses among the conditions of `exports`.
  assert.equal(JSON.stringify(manifest), JSON.stringify(read("pkg/package.json")));
  const servers = Object.keys(optionalDependencies);
  assert.ok(servers.includes(`@csm-image-to-3d/server-${process.platform}-${process.arch}`));
});

test("there is no Rust", () => {
  assert.throws(() => execFileSync("cargo", ["--version"], { env: environment }), {
    code: "ENOENT",
  });
});

test("opens the page, and makes a model of a photo", async () => {
  const opened = join(folder, "opened");
  writeFileSync(join(programs, "xdg-open"), `#!/bin/sh\necho "$1" > ${opened}\n`, { mode: 0o755 });
  const { program, baseUrl } = await npx(["--data", join(folder, "models"), "--open"]);
  assert.match(await (await fetch(baseUrl)).text(), /<title>/);
  const session = await imageTo3d({ image, baseUrl });
  assert.equal(session.status, "preview_done");
  assert.equal(session.cutout?.method, "network");
  kill(program.child, "SIGTERM");
  await program.ended;
  assert.ok(existsSync(join(folder, "models", "sessions.redb")));
  assert.equal(readFileSync(opened, "utf8").trim(), new URL(baseUrl).href);
});

test("hands the work to an engine", async () => {
  const emulators = startProgram("target/debug/examples/emulators", []);
  const [line] = await waitForOutput(emulators, /^.+\n/);
  const { fal, key } = JSON.parse(line);
  const config = join(folder, "config.toml");
  writeFileSync(
    config,
    `[engines.fal]\nurl = "${fal.url}"\nresult_hosts = ["${fal.files}"]\npoll = 0.02\n`,
  );
  const flags = ["--engine", "fal", "--daily-limit", "1", "--config", config];
  const { baseUrl } = await npx(flags, { FAL_KEY: key });
  const session = await imageTo3d({ image, baseUrl });
  assert.equal(session.status, "preview_done");
  assert.equal(session.engine, "fal");
  await assert.rejects(imageTo3d({ image, baseUrl }), { status: 402 });
});
