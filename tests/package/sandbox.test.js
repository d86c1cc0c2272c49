// The sandbox in Node.js.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import {
  createSession,
  deleteSession,
  downloadModel,
  getSession,
  imageTo3d,
  ImageTo3dError,
  listSessions,
  requestPreview,
  requestRefine,
  waitForSession,
} from "../../pkg/index.js";
import { createSandbox } from "../../pkg/sandbox.js";
import { canary, faultKey } from "../support/keys.js";

const image = new Blob([readFileSync("www/samples/turtle.webp")]);
const url = "https://api.example/image-to-3d-sessions";

/**
 * Creates a fast sandbox, and the options for calls to it.
 *
 * @param {import("../../pkg/sandbox.js").SandboxOptions} [options]
 */
function fastSandbox(options) {
  const sandbox = createSandbox({ speed: 50, ...options });
  return { sandbox, fetch: sandbox.fetch, interval: 10 };
}

test("makes a model from an image, and records the requests", async () => {
  const { sandbox, fetch, interval } = fastSandbox();
  /** @type {string[]} */
  const seen = [];
  const session = await imageTo3d({
    image,
    fetch,
    interval,
    apiKey: canary,
    onUpdate: ({ status }) => void seen.push(status),
  });
  assert.equal(seen[0], "spin_generate_processing");
  assert.equal(session.status, "preview_done");
  const model = await downloadModel(session, { fetch });
  assert.equal((await model.text()).slice(0, 4), "glTF");
  assert.match(session.image_url ?? "", /^blob:/);
  const picture = await (await fetch(String(session.image_url))).blob();
  assert.deepEqual([picture.size, picture.type], [image.size, "image/webp"]);
  assert.deepEqual(
    (await listSessions({ fetch })).results.map(({ session_code }) => session_code),
    [session.session_code],
  );

  const requests = await sandbox.requests();
  const [create, ...polls] = requests;
  assert.deepEqual(
    [create.method, create.host, create.path, create.status, create.key],
    ["POST", "api.csm.ai", "/image-to-3d-sessions", 201, "can… (12 characters)"],
  );
  assert.ok(create.body_bytes > image.size);
  assert.ok(polls.length >= 2 && polls.every(({ method }) => method === "GET"));
  assert.equal((await sandbox.requests()).length, requests.length);
});

test("uses no network in Node.js", async () => {
  const { fetch, interval } = fastSandbox();
  const photo = new Blob([readFileSync("www/samples/chelsea.png")]);
  const session = await imageTo3d({ image: photo, fetch, interval });
  assert.equal(session.cutout?.method, "background");
  const failure = imageTo3d({ image: photo, fetch, interval, extra: { cutout: "network" } });
  await assert.rejects(failure, {
    message: /the cut-out network is not available: the sandbox has no worker/,
  });
});

test("makes the kind of shape that the caller chooses", async () => {
  const { fetch, interval } = fastSandbox();
  for (const shape of ["round", "revolved", "extruded", "relief"]) {
    const extra = { shape };
    const session = await imageTo3d({ image, fetch, interval, resolution: "low_poly", extra });
    assert.equal(session.shape, shape);
    assert.equal(session.unsupported, undefined);
  }
  const session = await imageTo3d({ image, fetch, interval, resolution: "low_poly" });
  assert.equal(session.shape, "round");
  await assert.rejects(createSession({ image, fetch, extra: { shape: "x" } }), {
    message: /Invalid shape "x": expected "auto", "round", "revolved", "extruded" or "relief"/,
  });
});

test("gives each model of a session its own URL, also after a second refinement", async () => {
  const { fetch, interval } = fastSandbox();
  const { session_code } = await createSession({ image, preview_mesh: "turbo", fetch });
  const spun = await waitForSession(session_code, { until: "spins", fetch, interval });
  const spin = await fetch(String(spun.spins?.[2].image_url));
  assert.equal(spin.headers.get("content-type"), "image/png");
  await requestPreview(session_code, { selected_spin_index: 2, fetch });
  const previewed = await waitForSession(session_code, { fetch, interval });

  await requestRefine(session_code, { scaled_bbox: [1, 1, 1], fetch });
  const one = await waitForSession(session_code, { until: "refine", fetch, interval });
  await requestRefine(session_code, { scaled_bbox: [2, 2, 2], fetch });
  const two = await waitForSession(session_code, { until: "refine", fetch, interval });
  const urls = [previewed.preview_mesh_url_glb, one.mesh_url_glb, two.mesh_url_glb].map(String);
  const models = await Promise.all(urls.map(async (url) => (await fetch(url)).text()));
  assert.equal(new Set(models).size, 3);
  // The URL stays the same while the file does.
  const again = await getSession(session_code, { fetch });
  assert.equal(again.mesh_url_glb, two.mesh_url_glb);
});

test("a deleted session is gone, with its URLs", async () => {
  const { fetch, interval } = fastSandbox();
  const session = await imageTo3d({ image, fetch, interval });
  const kept = await imageTo3d({ image, fetch, interval });
  await deleteSession(session.session_code, { fetch });
  const { results } = await listSessions({ fetch });
  assert.deepEqual(
    results.map(({ session_code }) => session_code),
    [kept.session_code],
  );
  await assert.rejects(globalThis.fetch(String(session.preview_mesh_url_glb)));
  assert.equal((await globalThis.fetch(String(kept.preview_mesh_url_glb))).status, 200);
});

test("reset deletes sessions, requests and URLs, and rejects pending requests", async () => {
  const { sandbox, fetch, interval } = fastSandbox();
  const session = await imageTo3d({ image, fetch, interval });
  const stalled = fetch(url, { headers: { "x-api-key": faultKey("stall") } });
  await Promise.all([
    assert.rejects(stalled, {
      name: "TypeError",
      message: "Failed to fetch: the sandbox was reset",
    }),
    sandbox.reset(),
  ]);
  await assert.rejects(globalThis.fetch(String(session.preview_mesh_url_glb)));
  await assert.rejects(globalThis.fetch(String(session.image_url)));
  assert.deepEqual(await sandbox.requests(), []);
  await assert.rejects(getSession(session.session_code, { fetch, maxRetries: 0 }), {
    kind: "not_found",
  });
  assert.equal((await imageTo3d({ image, fetch, interval })).status, "preview_done");
});

test("parallel requests print no warnings", async (t) => {
  const { sandbox, fetch } = fastSandbox();
  /** @type {string[]} */
  const warnings = [];
  const record = (/** @type {Error} */ warning) => void warnings.push(String(warning));
  process.on("warning", record);
  t.after(() => process.off("warning", record));
  const requests = Array.from({ length: 30 }, () => [fetch(url), sandbox.requests()]).flat();
  await Promise.all(requests);
  assert.deepEqual(warnings, []);
});

test("sandboxes share no sessions, and give the same codes for the same seed", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
  const [one, two] = [fastSandbox({ seed: 7 }), fastSandbox({ seed: 7 })];
  const first = await createSession({ image, fetch: one.fetch });
  assert.deepEqual((await listSessions({ fetch: two.fetch })).results, []);
  const second = await createSession({ image, fetch: two.fetch });
  const other = await createSession({ image, fetch: fastSandbox({ seed: 8 }).fetch });
  assert.equal(first.session_code, second.session_code);
  assert.notEqual(first.session_code, other.session_code);
});

test("sessions follow a mocked clock", async (t) => {
  const { fetch } = fastSandbox({ speed: 1 });
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.now() });
  const { session_code } = await createSession({ image, auto_refine: true, fetch });
  const statuses = [];
  for (let second = 0; second <= 4; second++) {
    statuses.push((await getSession(session_code, { fetch })).status);
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(statuses, [
    "spin_generate_processing",
    "training_preview",
    "training_refine",
    "training_refine",
    "refine_done",
  ]);
});

test("origin sets the origin of file URLs, which fetch can load", async () => {
  const origin = "http://localhost:6006";
  const { fetch, interval } = fastSandbox({ origin });
  const session = await imageTo3d({ image, fetch, interval });
  const { session_code: code } = session;
  assert.equal(session.preview_mesh_url_glb, `${origin}/files/${code}/preview.glb`);
  assert.equal(session.image_url, `${origin}/files/${code}/image`);
  const model = await fetch(session.preview_mesh_url_glb);
  assert.equal(model.headers.get("content-type"), "model/gltf-binary");
  assert.equal((await downloadModel(session, { fetch })).size, (await model.blob()).size);
});

test("fetch can load file URLs in a runtime without blob: URLs", async (t) => {
  const { createObjectURL } = URL;
  t.after(() => (URL.createObjectURL = createObjectURL));
  // @ts-expect-error as in jsdom
  URL.createObjectURL = undefined;
  const { fetch, interval } = fastSandbox();
  const session = await imageTo3d({ image, fetch, interval });
  assert.match(String(session.preview_mesh_url_glb), /^https:\/\/sandbox\.invalid\/files\//);
  assert.match(await (await downloadModel(session, { fetch })).text(), /^glTF/);
  assert.equal((await fetch(String(session.image_url))).status, 200);
});

test("simulates faults that the key selects", async () => {
  const { fetch, interval } = fastSandbox();
  const send = (/** @type {string} */ name, init = {}) =>
    fetch(url, { headers: { "x-api-key": faultKey(name) }, ...init });
  const dropped = {
    name: "TypeError",
    message: "Failed to fetch: the connection was dropped (a simulated fault)",
  };
  for (const name of ["drop-before", "drop-after"]) {
    await assert.rejects(send(name), dropped);
  }
  const truncated = await send("drop-middle");
  assert.equal(truncated.status, 200);
  await assert.rejects(truncated.text(), dropped);
  const throttled = await send("trickle");
  const started = performance.now();
  const text = await throttled.text();
  assert.deepEqual(JSON.parse(text).data, { results: [] });
  assert.equal(text.length, Number(throttled.headers.get("content-length")));
  assert.ok(performance.now() - started > 2000);
  assert.equal((await send("429-after")).headers.get("retry-after"), "1");
  assert.equal((await send("429-hidden")).headers.get("retry-after"), null);

  const failed = imageTo3d({ image, fetch, interval, apiKey: faultKey("preview-failed") });
  await assert.rejects(failed, { kind: "session_failed" });
  for (const name of ["result-expired", "result-no-cors"]) {
    const session = await imageTo3d({ image, fetch, interval, apiKey: faultKey(name) });
    const kind = name === "result-expired" ? "api" : "network";
    const error = await downloadModel(session, { fetch }).catch((error) => error);
    assert.ok(error instanceof ImageTo3dError);
    assert.ok([kind, "authentication"].includes(error.kind), `${name}: ${error.kind}`);
  }
});

test("an abort rejects with the signal's reason, before, during and after the request", async () => {
  const { sandbox, fetch } = fastSandbox();
  const signal = AbortSignal.abort("enough");
  await assert.rejects(fetch(url, { signal }), (reason) => reason === "enough");
  assert.deepEqual(await sandbox.requests(), []);

  for (const name of ["stall", "trickle"]) {
    const controller = new AbortController();
    const headers = { "x-api-key": faultKey(name) };
    const text = fetch(url, { headers, signal: controller.signal }).then((response) =>
      response.text(),
    );
    setTimeout(() => controller.abort("enough"), 100);
    await assert.rejects(text, (reason) => reason === "enough");
  }
  const controller = new AbortController();
  const session = imageTo3d({
    image,
    fetch: createSandbox().fetch,
    signal: controller.signal,
    onUpdate: () => controller.abort("enough"),
  });
  await assert.rejects(session, (reason) => reason === "enough");
});

test("an abort reaches a request and a body that wait, after a garbage collection", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  const { sandbox, fetch } = fastSandbox();
  for (const [index, name] of ["stall", "trickle"].entries()) {
    const controller = new AbortController();
    const headers = { "x-api-key": faultKey(name) };
    const text = fetch(url, { headers, signal: controller.signal }).then((response) =>
      response.text(),
    );
    const rejected = assert.rejects(text, (reason) => reason === "enough");
    while ((await sandbox.requests()).length === index) await sleep(10);
    for (let round = 0; round < 5; round++) {
      collectGarbage();
      await sleep(20);
    }
    controller.abort("enough");
    // Keeps Node.js running for a while if nothing happens.
    const lost = new AbortController();
    const late = sleep(5000, undefined, { signal: lost.signal }).then(
      () => assert.fail("the abort was lost"),
      () => {},
    );
    await Promise.race([rejected, late]);
    lost.abort();
  }
});

test("an abort reaches a request of a sandbox that is not used any more", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  const controller = new AbortController();
  const start = () =>
    createSandbox().fetch(url, {
      headers: { "x-api-key": faultKey("stall") },
      signal: controller.signal,
    });
  const rejected = assert.rejects(start(), (reason) => reason === "enough");
  for (let round = 0; round < 10; round++) {
    await sleep(20);
    collectGarbage();
  }
  setTimeout(() => controller.abort("enough"), 100);
  await rejected;
});

test("a session fails with the reason if its image cannot be fetched", async () => {
  const { fetch, interval } = fastSandbox();
  const served = createServer((request, response) => {
    response.statusCode = request.url === "/missing.webp" ? 404 : 200;
    response.end(readFileSync("www/samples/turtle.webp"));
  });
  await new Promise((listening) => served.listen(0, "127.0.0.1", () => listening(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (served.address());
  try {
    const image_url = `http://127.0.0.1:${port}`;
    const session = await imageTo3d({ image_url: `${image_url}/a.webp`, fetch, interval });
    assert.equal(session.status, "preview_done");
    const missing = imageTo3d({ image_url: `${image_url}/missing.webp`, fetch, interval });
    await assert.rejects(missing, { kind: "session_failed", message: /responded with HTTP 404/ });
  } finally {
    served.close();
  }
  const closed = `http://127.0.0.1:${port}/`;
  const unreachable = imageTo3d({ image_url: closed, fetch, interval });
  await assert.rejects(unreachable, {
    kind: "session_failed",
    message: /its server is unreachable, or does not allow requests from other origins/,
  });
});

test("a crash rejects pending requests, and the next request starts a new sandbox", async (t) => {
  const { sandbox, fetch } = fastSandbox();
  const other = fastSandbox();
  await createSession({ image, fetch });
  await createSession({ image, fetch: other.fetch });
  const { Api } = await import("../../pkg/wasm/sandbox.js");
  const trap = t.mock.method(Api.prototype, "handle", () => {
    throw new WebAssembly.RuntimeError("unreachable");
  });
  const stalled = fetch(url, { method: "POST" });
  await assert.rejects(stalled, {
    name: "ImageTo3dError",
    kind: "internal",
    message: "The sandbox crashed and lost all its sessions: unreachable",
  });
  trap.mock.restore();
  assert.deepEqual((await listSessions({ fetch })).results, []);
  await createSession({ image, fetch });
  // The other sandbox shared the memory of the one that crashed.
  await assert.rejects(other.sandbox.requests(), {
    kind: "internal",
    message:
      "The sandbox crashed and lost all its sessions: another sandbox that shares its memory crashed",
  });
  assert.deepEqual(await other.sandbox.requests(), []);
  assert.equal((await sandbox.requests()).length, 2);
});

test("an image that crashes the decoder is rejected, and no session is lost", async (t) => {
  const { fetch, interval } = fastSandbox();
  const { session_code } = await createSession({ image, fetch });
  for (const [name, reason] of [
    ["tiled-planar.tif", "this server does not read this kind of TIFF file"],
    ["zero-width-frame.webp", "the WebP file cannot be decoded: a frame has a wrong size"],
  ]) {
    const file = readFileSync(`tests/fixtures/${name}`);
    await assert.rejects(createSession({ image: new Blob([file]), fetch }), {
      kind: "unsupported_image",
      status: 400,
      message: new RegExp(`^image: ${reason}`),
    });
  }
  assert.equal((await getSession(session_code, { fetch })).session_code, session_code);

  // A crash whose reason is not known: the instance that only decodes traps.
  const { instantiate } = WebAssembly;
  t.mock.method(
    WebAssembly,
    "instantiate",
    async (
      /** @type {WebAssembly.Module} */ module,
      /** @type {WebAssembly.Imports} */ imports,
    ) => {
      const { exports } = await instantiate(module, imports);
      const trap = () => {
        throw new WebAssembly.RuntimeError("unreachable");
      };
      return { exports: { ...exports, tryCreate: trap, tryDecode: trap } };
    },
  );
  await assert.rejects(createSession({ image, fetch }), {
    status: 400,
    message: /^image: the image file cannot be decoded: the decoder crashed/,
  });
  t.mock.restoreAll();
  const session = await waitForSession(session_code, { fetch, interval });
  assert.equal(session.status, "preview_done");
});

test("a call that meets a crash rejects with the crash, not with a missing response", async (t) => {
  const { fetch } = fastSandbox();
  await createSession({ image, fetch });
  const { Api } = await import("../../pkg/wasm/sandbox.js");
  t.mock.method(Api.prototype, "handle", () => {
    throw new WebAssembly.RuntimeError("unreachable");
  });
  await assert.rejects(createSession({ image, fetch }), {
    name: "ImageTo3dError",
    kind: "internal",
    sent: "unknown",
    message: "The sandbox crashed and lost all its sessions: unreachable",
  });
});

test("rejects invalid options at once", () => {
  const seed = "expected a whole number from 0 to Number.MAX_SAFE_INTEGER";
  const folder =
    'expected the http: or https: URL of a folder, such as "https://example.com/cutout/"';
  const origin = 'expected the origin of an http: or https: URL, such as "http://localhost:6006"';
  for (const [options, message] of /** @type {const} */ ([
    [{ speed: 0 }, "Invalid speed 0: expected a number greater than 0"],
    [{ speed: "5" }, 'Invalid speed "5": expected a number greater than 0'],
    [{ speed: NaN }, "Invalid speed NaN: expected a number greater than 0"],
    [{ speed: [1, 2, [3], 4] }, "Invalid speed [1, 2, […], …]: expected a number greater than 0"],
    [{ seed: 0.5 }, `Invalid seed 0.5: ${seed}`],
    [{ seed: -1 }, `Invalid seed -1: ${seed}`],
    [{ seed: {} }, `Invalid seed {…}: ${seed}`],
    [{ cutoutFiles: "/cutout/" }, `Invalid cutoutFiles "/cutout/": ${folder}`],
    [{ cutoutFiles: "https://a.example" }, `Invalid cutoutFiles "https://a.example": ${folder}`],
    [{ origin: "localhost:6006" }, `Invalid origin "localhost:6006": ${origin}`],
    [{ origin: "http://localhost/path" }, `Invalid origin "http://localhost/path": ${origin}`],
    [{ origin: "x".repeat(61) }, `Invalid origin "${"x".repeat(60)}…": ${origin}`],
    [
      { orgin: "http://localhost" },
      'Unknown option "orgin". Expected "speed", "seed", "origin" or "cutoutFiles".',
    ],
    [null, "Expected an options object, got null"],
  ])) {
    assert.throws(() => createSandbox(/** @type {any} */ (options)), {
      name: "ImageTo3dError",
      kind: "invalid_options",
      message,
    });
  }
  createSandbox({ speed: undefined, seed: 1, origin: "https://a.example:81" });
});

test("loads nothing before the first request, and does not keep Node.js running", () => {
  const script = "tests/support/first-request.js";
  const output = execFileSync(process.execPath, [script], { timeout: 20_000 }).toString();
  assert.equal(output, "0 1 201\n");
});
