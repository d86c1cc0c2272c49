// The files in `deploy`: Caddy before the server, and the unit for systemd.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";

import { inPage } from "../bundlers.js";
import { findFreePort, findProgram, start } from "../programs.js";
import { root } from "../workspace.js";
import { key, received, recorderAddress, startApi } from "./api.js";
import { sessionsPath } from "./cases.js";
import { sendRequest } from "./raw-request.js";

/** Defines the tests. */
export function deployment() {
  describe("deploy", () => {
    test("Caddyfile serves the page and adds the key", assertCaddyAddsKey);
    const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
    test("unit is valid", { skip: !hasSystemd && "systemd is not installed" }, assertUnitIsValid);
    test("unit starts the server with valid options", assertUnitHasValidOptions);
  });
}

async function assertCaddyAddsKey() {
  const folder = join(root, "deploy");
  mkdirSync(folder, { recursive: true });
  const upstream = new URL(await recorderAddress()).host;
  const site = readFileSync("deploy/Caddyfile", "utf8").replaceAll("api:8787", upstream);
  const options = "{\n admin off\n default_bind 127.0.0.1\n}\n";
  writeFileSync(join(folder, "Caddyfile"), options + site);
  const address = `http://127.0.0.1:${await findFreePort()}`;
  const flags = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
  const caddy = await start(findProgram("caddy"), flags, /serving initial configuration/, {
    cwd: folder,
    env: { DOMAIN: address, CLIENT_KEY: key, HOME: folder },
  });
  const stopApi = await startApi(address, ["--site", resolve("dist")]);
  received.length = 0;

  // The page of the server creates a session with the key that Caddy adds.
  await inPage(`${address}/?server=${address}`, async (page) => {
    await page.waitForFunction(async (path) => (await fetch(path)).ok, sessionsPath);
    assert.match(await page.title(), /3D/);
  });
  const requests = received.filter(({ url }) => url?.startsWith(sessionsPath));
  assert.ok(requests.length > 0);
  for (const { headers } of requests) assert.equal(headers["x-api-key"], key);
  const others = received.filter((request) => !requests.includes(request));
  for (const { headers } of others) assert.equal(headers["x-api-key"], undefined);

  // A visitor cannot choose its name.
  await sendRequest(address, address, {
    headers: { "x-visitor": "127.0.0.9" },
    localAddress: "127.0.0.2",
  });
  assert.equal(received.at(-1)?.headers["x-visitor"], "127.0.0.2");
  assert.equal((await sendRequest(address, "https://evil.example", {})).status, 403);
  stopApi();
  caddy.stop();
}

const unit = "deploy/csm-image-to-3d.service";
const program = "/usr/local/bin/csm-image-to-3d-server";

function assertUnitIsValid() {
  // The program and the user have to exist.
  const folder = join(root, "unit");
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(unit, "utf8");
  const path = join(folder, "csm-image-to-3d.service");
  writeFileSync(path, text.replace(program, process.execPath).replace("User=csm", "User=root"));
  const flags = ["verify", "--man=no", "--recursive-errors=no", path];
  const { status, stderr } = spawnSync("systemd-analyze", flags, { encoding: "utf8" });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
}

function assertUnitHasValidOptions() {
  const folder = join(root, "unit");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.toml"), "");
  const [, command] = readFileSync(unit, "utf8").match(/^ExecStart=(.*)$/m) ?? [];
  const [, ...args] = command
    .replace("/etc/csm/", `${folder}/`)
    .replace("/var/lib/csm", join(folder, "data"))
    .split(" ");
  const server = resolve("target/debug/csm-image-to-3d-server");
  const { status, stderr } = spawnSync(server, [...args, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
