// The files in `deploy`: Caddy before the server, and the unit for systemd. Also what docs/server.md says
// about nginx and Caddy.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";

import { png } from "../app/src/image.js";
import { inPage } from "../bundlers.js";
import { findFreePort } from "../programs.js";
import { root } from "../workspace.js";
import { createBody, key, received, recorderAddress, startApi } from "./api.js";
import { sessionsPath } from "./cases.js";
import { sendRequest } from "./raw-request.js";
import { startCaddy, startNginx } from "./web-servers.js";

/** Defines the tests. */
export function deployment() {
  describe("deploy", () => {
    test("Caddy as in docs/deploy.md serves an app and the API", assertServesAtOneOrigin);
    test("Caddyfile serves the page and adds the key", assertCaddyAddsKey);
    const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
    test("unit is valid", { skip: !hasSystemd && "systemd is not installed" }, assertUnitIsValid);
    test("unit starts the server with valid options", assertUnitHasValidOptions);
    for (const path of /** @type {const} */ (["", "/api"])) {
      for (const program of /** @type {const} */ (["nginx", "caddy"])) {
        const name = `${program} as in docs/server.md forwards to the server`;
        test(`${name}${path && `, under ${path}`}`, () => assertForwards(program, path));
      }
    }
  });
}

async function assertCaddyAddsKey() {
  const site = readFileSync("deploy/Caddyfile", "utf8");
  const address = `http://127.0.0.1:${await findFreePort()}`;
  const upstream = new URL(await recorderAddress()).host;
  const stop = await startCaddy("deploy", site.replaceAll("api:8787", upstream), {
    DOMAIN: address,
    CLIENT_KEY: key,
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
  stop();
}

async function assertServesAtOneOrigin() {
  const text = readFileSync("docs/deploy.md", "utf8");
  const [, site] = text.match(/^```\n(shop\.example \{\n.*?)^```$/ms) ?? [];
  const folder = join(root, "shop");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), "the shop");
  const address = `http://127.0.0.1:${await findFreePort()}`;
  const local = site
    .replace("shop.example", address)
    .replace("/srv/shop", folder)
    .replaceAll("127.0.0.1:8787", new URL(await recorderAddress()).host);
  const stop = await startCaddy("one-origin", local, { CLIENT_KEY: key });
  const stopApi = await startApi(`${address}/api`);
  received.length = 0;

  const send = (/** @type {string} */ target, /** @type {RequestInit} */ init = {}) =>
    fetch(address + target, { ...init, headers: { "sec-fetch-site": "same-origin" } });
  assert.equal(await (await send("/")).text(), "the shop");
  const init = { method: "POST", body: createBody() };
  const created = await send(`/api${sessionsPath}`, init);
  assert.equal(created.status, 201);
  const { data } = /** @type {any} */ (await created.json());
  assert.deepEqual(new Uint8Array(await (await fetch(data.image_url)).arrayBuffer()), png());
  const [create, file] = received;
  assert.equal(create.headers["x-api-key"], key);
  assert.equal(create.headers["x-visitor"], "127.0.0.1");
  assert.equal(file.headers["x-api-key"], undefined);
  // The page of another site, and what a page does not need.
  assert.equal((await fetch(`${address}/api${sessionsPath}`, init)).status, 403);
  assert.equal((await send("/api/metrics")).status, 403);
  stopApi();
  stop();
}

/**
 * Runs a configuration of docs/server.md, and uses the server through it.
 *
 * @param {"nginx" | "caddy"} program
 * @param {"" | "/api"} path
 */
async function assertForwards(program, path) {
  const text = readFileSync("docs/server.md", "utf8");
  const blocks = text.matchAll(new RegExp(`^\`\`\`${program}\n(.*?)^\`\`\`$`, "gms"));
  const [atRoot, underPath] = Array.from(blocks, ([, block]) => block);
  const host = `127.0.0.1:${await findFreePort()}`;
  const site = path
    ? {
        nginx: `server {\n  listen 443 ssl;\n${underPath}}\n`,
        caddy: `models.example {\n${underPath}}\n`,
      }
    : { nginx: atRoot, caddy: atRoot };
  const local = site[program]
    .replace("http://127.0.0.1:8787", await recorderAddress())
    .replace("127.0.0.1:8787", new URL(await recorderAddress()).host)
    .replace("models.example {", `http://${host} {`)
    .replace("listen 443 ssl;", `listen ${host};`)
    .replaceAll(/^ *ssl_.*\n/gm, "");
  const address = `http://${host}`;
  const start = { nginx: startNginx, caddy: startCaddy }[program];
  const stop = await start(`docs-${program}${path.replace("/", "-")}`, local);
  const stopApi = await startApi(address + path);

  const send = (/** @type {string} */ target, /** @type {RequestInit} */ init = {}) =>
    fetch(address + target, { ...init, headers: { "x-api-key": key } });
  const created = await send(path + sessionsPath, { method: "POST", body: createBody() });
  assert.equal(created.status, 201);
  const { data } = /** @type {any} */ (await created.json());
  assert.ok(data.image_url.startsWith(`${address}${path}/files/`), data.image_url);
  const image = await fetch(data.image_url);
  assert.deepEqual(new Uint8Array(await image.arrayBuffer()), png());
  assert.equal((await send(`${path}/sandbox/engines`)).status, 404);
  stopApi();
  stop();
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
