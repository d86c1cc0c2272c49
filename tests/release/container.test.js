// The container image of `deploy/Containerfile`: built and run with podman, if it is installed.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { imageTo3d, getSession } from "../../pkg/index.js";

const context = join(String(process.env.RELEASE), `container-linux-${process.arch}`);
const image = "localhost/csm-image-to-3d-test";
const name = `csm-image-to-3d-test-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), "container-"));
const apiKey = "a-key-of-the-shop-in-the-test";
const hasPodman = spawnSync("podman", ["--version"]).status === 0;

/** The user in the image. */
const user = 65532;

/** The global flags of podman. @type {string[]} */
let runtime = [];

/** @param {string[]} args */
const podman = (...args) =>
  execFileSync("podman", [...runtime, ...args], { encoding: "utf8" }).trim();

after(() => {
  if (hasPodman) spawnSync("podman", [...runtime, "rm", "--force", "--volumes", name]);
  if (hasPodman) spawnSync("podman", ["rmi", "--force", image]);
  rmSync(folder, { recursive: true });
});

async function findFreePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  return String(port);
}

const skip = !hasPodman && "podman is not installed";
test(
  "runs as a user without rights, on a file system that it cannot write to",
  { skip },
  async () => {
    podman("build", "--quiet", "--format", "docker", "--tag", image, context);
    writeFileSync(join(folder, "config.toml"), 'clients_file = "/config/clients"\n');
    const clients = join(folder, "clients");
    writeFileSync(clients, `shop ${apiKey}\n`);
    chmodSync(clients, 0o600);
    chownSync(clients, user, user);
    chmodSync(folder, 0o755);

    const port = await findFreePort();
    const limits = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"];
    const flags = ["--bind", "127.0.0.1", "--port", port, "--config", "/config/config.toml"];
    const volume = `${folder}:/config:ro`;
    // What podman needs where it may neither raise limits nor use timers of systemd.
    const host = [
      ...["--network", "host", "--no-healthcheck"],
      ...["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"],
    ];
    // crun does not support every form of control groups.
    if (spawnSync("podman", ["run", "--rm", ...host, image, "--version"]).status !== 0) {
      runtime = ["--runtime", "runc", "--cgroup-manager", "cgroupfs"];
    }
    podman(
      ...["run", "--detach", "--name", name, ...host, ...limits],
      ...["--volume", volume, image, ...flags],
    );
    const baseUrl = `http://127.0.0.1:${port}`;
    while (!podman("logs", name).includes("listening on")) {
      assert.equal(podman("inspect", "--format", "{{.State.Running}}", name), "true");
      await setTimeout(50);
    }
    assert.equal(podman("top", name, "huser").split("\n")[1], String(user));
    assert.match(await (await fetch(baseUrl)).text(), /<title>/);

    const file = new Blob([readFileSync("www/samples/turtle.webp")]);
    const session = await imageTo3d({ image: file, baseUrl, apiKey });
    assert.equal(session.status, "preview_done");
    await assert.rejects(imageTo3d({ image: file, baseUrl }), { kind: "authentication" });
    podman("exec", name, "/app/csm-image-to-3d-server", "--health", "--port", port);

    // The volume keeps the sessions.
    podman("restart", name);
    const { session_code } = session;
    const stored = await getSession(session_code, { baseUrl, apiKey, maxRetries: 9 });
    assert.equal(stored.status, "preview_done");
    podman("stop", "--time", "10", name);
    assert.equal(podman("inspect", "--format", "{{.State.ExitCode}}", name), "0");
  },
);
