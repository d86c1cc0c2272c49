// The servers for other platforms than this one, each run by an emulator if that is installed.
// `cargo xtask release` runs it; RELEASE is the folder of what it built.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { imageTo3d } from "../../pkg/index.js";
import { startProgram, waitForOutput } from "../support/programs.js";

const release = join(String(process.env.RELEASE), "npm");
const folder = mkdtempSync(join(tmpdir(), "platforms-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const image = new Blob([readFileSync("www/samples/turtle.webp")]);

/**
 * The programs that run those of other platforms on Linux. Older versions of wine lack
 * `bcryptprimitives.dll`, which the standard library of Rust needs.
 */
const emulators = [
  { platform: "linux-x64", emulator: "qemu-x86_64", oldest: 1 },
  { platform: "linux-arm64", emulator: "qemu-aarch64", oldest: 1 },
  { platform: "win32-x64", emulator: "wine", oldest: 9 },
];

for (const { platform, emulator, oldest } of emulators) {
  const packed = readdirSync(release).find((name) => name.includes(`server-${platform}-`));
  const { stdout } = spawnSync(emulator, ["--version"], { encoding: "utf8" });
  const version = Number(stdout?.match(/\d+/)?.[0] ?? 0);
  const skip =
    (!packed && `the server for ${platform} was not built`) ||
    (platform === `${process.platform}-${process.arch}` && "npx.test.js runs it") ||
    (version < oldest && `${emulator} ${oldest} or newer is not installed`);
  test(`the server for ${platform} makes a model`, { skip }, async () => {
    execFileSync("tar", [
      "--extract",
      "--file",
      join(release, String(packed)),
      "--directory",
      folder,
    ]);
    const suffix = platform.startsWith("win32") ? ".exe" : "";
    const program = join(folder, "package", `csm-image-to-3d-server${suffix}`);
    const flags = ["--port", "0", "--speed", "20", "--data", join(folder, platform)];
    const quiet = { WINEPREFIX: join(folder, "wine"), WINEDEBUG: "-all" };
    const server = startProgram(emulator, [program, ...flags], quiet);
    const [, baseUrl] = await waitForOutput(server, /listening on (\S+)/);
    const session = await imageTo3d({ image, baseUrl });
    assert.equal(session.status, "preview_done");
    const model = await fetch(String(session.preview_mesh_url_glb));
    assert.equal((await model.text()).slice(0, 4), "glTF");
    server.child.kill();
    rmSync(join(folder, "package"), { recursive: true });
  });
}
