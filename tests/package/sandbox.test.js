// The API inside the page: in Node.js here, and in both browsers under a strict policy.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import {
  createSession,
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
import { canary, startChromium, startFirefox } from "../support/browsers.js";

const image = new Blob([readFileSync("www/samples/turtle.webp")]);
const fault = (/** @type {string} */ name) => `fault_${name}_${canary}${Math.random()}`;
const url = "https://api.example/image-to-3d-sessions";
/** A sandbox, and the options of calls to it. */
function quick(/** @type {import("../../pkg/sandbox.js").SandboxOptions} */ options = {}) {
  const sandbox = createSandbox({ speed: 50, ...options });
  return { sandbox, fetch: sandbox.fetch, interval: 10 };
}

describe("in Node.js", () => {
  test("a picture becomes a model, and what was received can be counted", async () => {
    const { sandbox, fetch, interval } = quick();
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

  test("a spin is chosen, previewed and refined, and refined again into another model", async () => {
    const { fetch, interval } = quick();
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
    // The same file keeps its address for as long as it is the same.
    const again = await getSession(session_code, { fetch });
    assert.equal(again.mesh_url_glb, two.mesh_url_glb);
  });

  test("reset forgets sessions, requests and addresses, and ends what is under way", async () => {
    const { sandbox, fetch, interval } = quick();
    const session = await imageTo3d({ image, fetch, interval });
    const stalled = fetch(url, { headers: { "x-api-key": fault("stall") } });
    await Promise.all([
      assert.rejects(stalled, { name: "TypeError", message: /the sandbox was reset/ }),
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

  test("two sandboxes know nothing of each other, and one seed gives one code", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
    const [one, two] = [quick({ seed: 7 }), quick({ seed: 7 })];
    const first = await createSession({ image, fetch: one.fetch });
    assert.deepEqual((await listSessions({ fetch: two.fetch })).results, []);
    const second = await createSession({ image, fetch: two.fetch });
    const other = await createSession({ image, fetch: quick({ seed: 8 }).fetch });
    assert.equal(first.session_code, second.session_code);
    assert.notEqual(first.session_code, other.session_code);
  });

  test("a test's clock moves the sessions", async (t) => {
    const { fetch } = quick({ speed: 1 });
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

  test("with an origin, results lie under it and fetch answers them", async () => {
    const origin = "http://localhost:6006";
    const { fetch, interval } = quick({ origin });
    const session = await imageTo3d({ image, fetch, interval });
    const { session_code: code } = session;
    assert.equal(session.preview_mesh_url_glb, `${origin}/files/${code}/preview.glb`);
    assert.equal(session.image_url, `${origin}/files/${code}/image`);
    const model = await fetch(session.preview_mesh_url_glb);
    assert.equal(model.headers.get("content-type"), "model/gltf-binary");
    assert.equal((await downloadModel(session, { fetch })).size, (await model.blob()).size);
  });

  test("where there are no blob: addresses, fetch answers the results", async (t) => {
    const { createObjectURL } = URL;
    t.after(() => (URL.createObjectURL = createObjectURL));
    // @ts-expect-error as in jsdom
    URL.createObjectURL = undefined;
    const { fetch, interval } = quick();
    const session = await imageTo3d({ image, fetch, interval });
    assert.match(String(session.preview_mesh_url_glb), /^https:\/\/sandbox\.invalid\/files\//);
    assert.match(await (await downloadModel(session, { fetch })).text(), /^glTF/);
    assert.equal((await fetch(String(session.image_url))).status, 200);
  });

  test("it breaks on request", async () => {
    const { fetch, interval } = quick();
    const asked = (/** @type {string} */ name, init = {}) =>
      fetch(url, { headers: { "x-api-key": fault(name) }, ...init });
    for (const name of ["drop-before", "drop-after"]) {
      await assert.rejects(asked(name), TypeError);
    }
    const half = await asked("drop-middle");
    assert.equal(half.status, 200);
    await assert.rejects(half.text(), TypeError);
    const slow = await asked("trickle");
    const began = performance.now();
    const text = await slow.text();
    assert.deepEqual(JSON.parse(text).data, { results: [] });
    assert.equal(text.length, Number(slow.headers.get("content-length")));
    assert.ok(performance.now() - began > 2000);
    assert.equal((await asked("429-after")).headers.get("retry-after"), "1");
    assert.equal((await asked("429-hidden")).headers.get("retry-after"), null);

    const failed = imageTo3d({ image, fetch, interval, apiKey: fault("preview-failed") });
    await assert.rejects(failed, { kind: "session_failed" });
    for (const name of ["result-expired", "result-no-cors"]) {
      const session = await imageTo3d({ image, fetch, interval, apiKey: fault(name) });
      const kind = name === "result-expired" ? "api" : "network";
      const error = await downloadModel(session, { fetch }).catch((error) => error);
      assert.ok(error instanceof ImageTo3dError);
      assert.ok([kind, "authentication"].includes(error.kind), `${name}: ${error.kind}`);
    }
  });

  test("an abort rejects with the signal's reason, before, while and after it is asked", async () => {
    const { sandbox, fetch } = quick();
    const signal = AbortSignal.abort("enough");
    await assert.rejects(fetch(url, { signal }), (reason) => reason === "enough");
    assert.deepEqual(await sandbox.requests(), []);

    for (const name of ["stall", "trickle"]) {
      const stop = new AbortController();
      const headers = { "x-api-key": fault(name) };
      const answer = fetch(url, { headers, signal: stop.signal }).then((answer) => answer.text());
      setTimeout(() => stop.abort("enough"), 100);
      await assert.rejects(answer, (reason) => reason === "enough");
    }
    const wait = new AbortController();
    const session = imageTo3d({
      image,
      fetch: createSandbox().fetch,
      signal: wait.signal,
      onUpdate: () => wait.abort("enough"),
    });
    await assert.rejects(session, (reason) => reason === "enough");
  });

  test("a picture that cannot be had ends the session with the reason", async () => {
    const { fetch, interval } = quick();
    const served = createServer((request, response) => {
      response.statusCode = request.url === "/none.webp" ? 404 : 200;
      response.end(readFileSync("www/samples/turtle.webp"));
    });
    await new Promise((listening) => served.listen(0, "127.0.0.1", () => listening(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (served.address());
    try {
      const image_url = `http://127.0.0.1:${port}`;
      const made = await imageTo3d({ image_url: `${image_url}/a.webp`, fetch, interval });
      assert.equal(made.status, "preview_done");
      const none = imageTo3d({ image_url: `${image_url}/none.webp`, fetch, interval });
      await assert.rejects(none, { kind: "session_failed", message: /answers 404/ });
    } finally {
      served.close();
    }
    const closed = `http://127.0.0.1:${port}/`;
    const off = imageTo3d({ image_url: closed, fetch, interval });
    await assert.rejects(off, { kind: "session_failed", message: /its server is off/ });
  });

  test("a broken sandbox says so, and the next request finds a new one", async (t) => {
    const { sandbox, fetch } = quick();
    const other = quick();
    await createSession({ image, fetch });
    await createSession({ image, fetch: other.fetch });
    const { Api } = await import("../../pkg/wasm/sandbox.js");
    const trap = t.mock.method(Api.prototype, "handle", () => {
      throw new WebAssembly.RuntimeError("unreachable");
    });
    const stalled = fetch(url, { method: "POST" });
    await assert.rejects(stalled, { name: "ImageTo3dError", kind: "internal" });
    trap.mock.restore();
    assert.deepEqual((await listSessions({ fetch })).results, []);
    await createSession({ image, fetch });
    // It shared the memory of the one that broke.
    await assert.rejects(other.sandbox.requests(), { kind: "internal" });
    assert.deepEqual(await other.sandbox.requests(), []);
    assert.equal((await sandbox.requests()).length, 2);
  });

  test("options that are wrong are named at once", () => {
    for (const [options, words] of /** @type {const} */ ([
      [{ speed: 0 }, "speed: came 0, allowed: a number greater than 0"],
      [{ speed: "5" }, 'speed: came "5", allowed'],
      [{ speed: NaN }, "speed: came NaN"],
      [{ seed: 0.5 }, "seed: came 0.5"],
      [{ seed: -1 }, "seed: came -1"],
      [{ origin: "localhost:6006" }, 'origin: came "localhost:6006"'],
      [{ origin: "http://localhost/path" }, 'origin: came "http://localhost/path"'],
      [{ orgin: "http://localhost" }, "orgin: there is no option of that name"],
      [null, "options: came null"],
    ])) {
      assert.throws(
        () => createSandbox(/** @type {any} */ (options)),
        (error) =>
          error instanceof ImageTo3dError &&
          error.kind === "invalid_options" &&
          error.message.startsWith(words),
        words,
      );
    }
    createSandbox({ speed: undefined, seed: 1, origin: "https://a.example:81" });
  });

  test("nothing is loaded before the first request, and nothing keeps Node.js running", () => {
    const script = `
      let compiled = 0;
      const { compile } = WebAssembly;
      // Node.js compiles some of its own, which is small.
      WebAssembly.compile = (bytes) => ((compiled += bytes.length > 500_000), compile(bytes));
      const { createSandbox } = await import("./pkg/sandbox.js");
      const sandbox = createSandbox({ speed: 0.001 });
      const before = compiled;
      const image_url = "data:image/webp;base64,${readFileSync("www/samples/turtle.webp").toString("base64")}";
      const body = JSON.stringify({ image_url });
      const { status } = await sandbox.fetch("${url}", { method: "POST", body });
      console.log(before, compiled, status);
    `;
    const flags = ["--input-type=module", "--eval", script];
    assert.equal(
      execFileSync(process.execPath, flags, { timeout: 20_000 }).toString(),
      "0 1 201\n",
    );
  });
});

const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; " +
  "connect-src 'self' blob: data:; worker-src ";

/** A page with the library and the sandbox as globals, and nothing else. */
const script = `
  import * as library from "/pkg/index.js";
  import { createSandbox } from "/pkg/sandbox.js";
  const image = await (await fetch("/samples/chelsea.png")).blob();
  const { Worker } = globalThis;
  const help = { image, workers: 0 };
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      help.workers++;
      super(...args);
    }
  };
  Object.assign(globalThis, { library, createSandbox, help });
`;

/** The static site with a policy, and the paths that were asked for. */
class Site {
  /** @type {string[]} */
  paths = [];
  server = createServer(({ url = "/" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    this.paths.push(pathname);
    const type = /\.js$/.test(pathname) ? "text/javascript" : "text/html";
    response.setHeader("content-type", type);
    response.setHeader("content-security-policy", policy + searchParams.get("worker-src"));
    if (pathname === "/") {
      response.end(
        '<!doctype html><title>Empty</title><script type="module" src="/test.js"></script>',
      );
    } else if (pathname === "/test.js") {
      response.end(script);
    } else if (existsSync(`dist${pathname}`)) {
      response.end(readFileSync(`dist${pathname}`));
    } else {
      response.writeHead(404).end();
    }
  });

  async listen() {
    await new Promise((listening) =>
      this.server.listen(0, "127.0.0.1", () => listening(undefined)),
    );
    const { port } = /** @type {import("node:net").AddressInfo} */ (this.server.address());
    return `http://127.0.0.1:${port}`;
  }
}

/**
 * Runs inside the page: resolves when its script is through. A driver's own way to wait for
 * something evaluates a text again and again, which the policy forbids.
 */
const globalsAreThere = async () => {
  const script = "/test.js";
  await import(script);
};

/** Inside a page the three names are its globals; they are declared here for the types. */
/** @type {typeof import("../../pkg/index.js")} */
const library = /** @type {any} */ (undefined);
/** @type {any} */
const help = undefined;
void [library, help];

/** Runs inside the page: for how long, in milliseconds, models that are made hold up its thread. */
const heldUp = async () => {
  const { fetch } = createSandbox({ speed: 20 });
  // So that all is loaded.
  await library.listSessions({ fetch });
  let held = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) held += Math.round(duration);
  });
  observer.observe({ type: "longtask" });
  const { image } = help;
  const options = { image, generate_texture: true, auto_refine: true, fetch, interval: 20 };
  const sessions = Array.from({ length: 3 }, () => library.imageTo3d(options));
  const statuses = (await Promise.all(sessions)).map(({ status }) => status);
  await new Promise((resolve) => setTimeout(resolve, 200));
  observer.disconnect();
  return { held, statuses };
};

for (const [name, start] of Object.entries({ Chromium: startChromium, Firefox: startFirefox })) {
  describe(`in ${name}`, () => {
    const site = new Site();
    /** @type {string} */
    let origin;
    /** @type {import("playwright-core").Browser} */
    let browser;
    before(async () => {
      origin = await site.listen();
      // The two drivers agree in all that is called here, but not in their types.
      browser = /** @type {any} */ (await start());
    });
    after(async () => {
      await browser.close();
      site.server.close();
    });

    /**
     * Opens the page, and answers what came of the visit; an error in the page, or a request to
     * elsewhere, fails the test.
     *
     * @template T
     * @param {string} workers what `worker-src` allows
     * @param {(page: import("playwright-core").Page) => Promise<T>} visit
     */
    async function withPage(workers, visit) {
      const page = await browser.newPage();
      /** @type {string[]} */
      const wrong = [];
      page.on("pageerror", (error) => {
        // Firefox tells of what a policy forbids as if it were an error of the page.
        if (!/Content-Security-Policy.*worker-src/.test(String(error))) wrong.push(String(error));
      });
      page.on("request", (request) => {
        const own = request.url().startsWith(`${origin}/`) || /^(blob|data):/.test(request.url());
        if (!own) wrong.push(request.url());
      });
      site.paths = [];
      await page.goto(`${origin}/?worker-src=${encodeURIComponent(workers)}`);
      await page.evaluate(globalsAreThere);
      const result = await visit(page).finally(() => page.close());
      assert.deepEqual(wrong, []);
      return result;
    }

    for (const [workers, inWorker] of /** @type {const} */ ([
      ["'self' blob:", true],
      ["'none'", false],
    ])) {
      test(`a picture becomes a model under worker-src ${workers}`, () =>
        withPage(workers, async (page) => {
          const outcome = await page.evaluate(async () => {
            const sandbox = createSandbox({ speed: 20 });
            const { image } = help;
            const session = await library.imageTo3d({ image, fetch: sandbox.fetch, interval: 20 });
            const url = String(session.preview_mesh_url_glb);
            const model = await library.downloadModel(session, { fetch: sandbox.fetch });
            const start = (await (await fetch(url)).text()).slice(0, 4);
            const picture = new Image();
            picture.src = String(session.image_url);
            await picture.decode();
            await sandbox.reset();
            const revoked = await fetch(url).then(
              () => false,
              () => true,
            );
            const { status } = await library.imageTo3d({
              image,
              fetch: sandbox.fetch,
              interval: 20,
            });
            return { url, start, size: model.size, width: picture.width, revoked, status };
          });
          const { url, size, ...others } = outcome;
          assert.ok(url.startsWith(`blob:${origin}/`), url);
          assert.ok(size > 1000);
          const seen = { start: "glTF", width: 451, revoked: true, status: "preview_done" };
          assert.deepEqual(others, seen);
          // Only what works on the page's own thread imports the glue.
          assert.equal(site.paths.includes("/pkg/wasm/sandbox.js"), !inWorker);
        }));
    }

    test("each sandbox has a worker of its own, and what is under way ends with it", () =>
      withPage("'self' blob:", async (page) => {
        const outcome = await page.evaluate(async () => {
          const { image } = help;
          const sandboxes = [createSandbox({ speed: 20 }), createSandbox({ speed: 20 })];
          const inert = help.workers;
          const sessions = await Promise.all(
            sandboxes.map(({ fetch }) => library.imageTo3d({ image, fetch, interval: 20 })),
          );
          const counts = await Promise.all(
            sandboxes.map(
              async ({ requests }) =>
                (await requests()).filter(({ method }) => method === "POST").length,
            ),
          );
          await sandboxes[0].reset();
          const lists = await Promise.all(
            sandboxes.map(
              async ({ fetch }) => (await library.listSessions({ fetch })).results.length,
            ),
          );
          const statuses = sessions.map(({ status }) => status);
          return { inert, counts, lists, statuses, workers: help.workers };
        });
        assert.deepEqual(outcome, {
          inert: 0,
          counts: [1, 1],
          lists: [0, 1],
          statuses: ["preview_done", "preview_done"],
          // One more for the sandbox that began anew.
          workers: 3,
        });
      }));

    // Firefox does not tell of long tasks.
    if (name === "Chromium") {
      test("the page stays smooth while its models are made", async () => {
        const under = (/** @type {string} */ workers) =>
          withPage(workers, async (page) => {
            const { statuses, held } = await page.evaluate(heldUp);
            assert.deepEqual(statuses, ["refine_done", "refine_done", "refine_done"]);
            console.log(`under worker-src ${workers} held up for ${held} ms`);
            return held;
          });
        const own = await under("'none'");
        // A machine that is busy with something else holds up a page too, but not each time.
        let beside = Infinity;
        for (let rounds = 0; rounds < 5 && !(beside < own / 5); rounds++) {
          beside = await under("'self' blob:");
        }
        assert.ok(beside < own / 5, `${beside} ms, and ${own} ms without a worker`);
      });
    }
  });
}
