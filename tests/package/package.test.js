// Importing the package, loading its WebAssembly, and its class of errors.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { inspect } from "node:util";

import { server, startChromium } from "../support/browsers.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await startChromium();
});
after(() => browser.close());

test("importing compiles nothing, and all entries share one instance", async () => {
  const { instantiate } = WebAssembly;
  let compiled = 0;
  WebAssembly.instantiate = (/** @type {any[]} */ ...args) => {
    compiled++;
    // @ts-expect-error one of its two forms
    return instantiate(...args);
  };
  const { createSession, ImageTo3dError } = await import("../../pkg/index.js");
  const entries = [await import("../../pkg/static.js"), await import("../../pkg/external.js")];
  assert.equal(compiled, 0);

  const image = new Blob([readFileSync("www/samples/turtle.webp")]);
  const session = await createSession({ image, baseUrl: server });
  assert.match(session.session_code, /^SESSION_/);
  await Promise.all([
    assert.rejects(createSession({ image: new Blob(), baseUrl: server }), ImageTo3dError),
    createSession({ image: await image.arrayBuffer(), baseUrl: server }),
  ]);
  for (const { getSession } of entries) {
    const again = await getSession(session.session_code, { baseUrl: server });
    assert.equal(again.session_code, session.session_code);
  }
  assert.equal(compiled, 1);
});

test("all entries and the WebAssembly share one class of errors, which prints its name", async () => {
  const { createSession, ImageTo3dError } = await import("../../pkg/index.js");
  for (const entry of ["static.js", "external.js"]) {
    const other = await import(`../../pkg/${entry}`);
    assert.equal(other.ImageTo3dError, ImageTo3dError);
  }
  const options = { image: new Blob(), baseUrl: server };
  const error = await createSession(options).catch((error) => error);
  assert.equal(error.constructor, ImageTo3dError);
  // Node.js prints the name of the constructor, which a bundler may have changed.
  assert.match(inspect(error), /^ImageTo3dError: /);
});

test("instanceof accepts errors of another copy of the package", async () => {
  const one = await import("../../pkg/error.js");
  // @ts-expect-error the same file, loaded again
  const other = await import("../../pkg/error.js?again");
  assert.notEqual(one.ImageTo3dError, other.ImageTo3dError);
  const error = new other.ImageTo3dError("no", { kind: "api", sent: "no" });
  assert.ok(error instanceof one.ImageTo3dError);
  assert.ok(error instanceof Error);
  for (const value of [new Error("no"), {}, null, undefined, "no"]) {
    assert.ok(!(value instanceof one.ImageTo3dError));
  }
  class Special extends one.ImageTo3dError {}
  assert.ok(!(error instanceof Special));
});

/**
 * Runs a function in a new page. `prepare` is called before the page is opened.
 *
 * @template T
 * @param {() => Promise<T>} run
 * @param {(page: import("playwright-core").Page) => Promise<unknown>} [prepare]
 */
async function inPage(run, prepare) {
  const page = await browser.newPage();
  try {
    await prepare?.(page);
    await page.goto(`${server}/favicon.svg`);
    return await page.evaluate(run);
  } finally {
    await page.close();
  }
}

test("an error names what a content security policy has to allow", async () => {
  const error = await inPage(
    async () => {
      const { createSession } = await import("/pkg/index.js");
      try {
        await createSession({ image: new Blob(["x"]), baseUrl: location.origin });
      } catch (error) {
        return { ...Object(error), message: String(error) };
      }
    },
    (page) =>
      page.route("**/favicon.svg", async (route) => {
        const response = await route.fetch();
        const headers = {
          ...response.headers(),
          "content-security-policy": "default-src 'self'; script-src 'self'",
        };
        await route.fulfill({ response, headers });
      }),
  );
  assert.equal(error.kind, "internal");
  assert.equal(error.sent, "no");
  assert.match(
    error.message,
    /^ImageTo3dError: Could not load the WebAssembly of csm-image-to-3d \(a content security policy must allow 'wasm-unsafe-eval' in script-src; a service worker must be bundled or use csm-image-to-3d\/static\): ./,
  );
});

/** @param {string} entry */
const notSupported = (entry) =>
  `This browser or runtime cannot run ${entry}: it does not support WebAssembly with SIMD and ` +
  "reference types. Use Chrome 98, Edge 98, Firefox 97, Safari 16.4, Node.js 20, or a newer version.";

// Only on this architecture can V8 switch SIMD off.
const skip = process.arch !== "x64";
test("an error names the required browsers if there is no SIMD", { skip }, () => {
  const flags = ["--no-enable-sse4-1", "tests/support/first-errors.js"];
  const errors = JSON.parse(execFileSync(process.execPath, flags).toString());
  const details = { kind: "internal", sent: "no", cause: "CompileError" };
  assert.deepEqual(errors, [
    { message: notSupported("csm-image-to-3d"), ...details },
    { message: notSupported("csm-image-to-3d/sandbox"), ...details },
  ]);
});

test("an error names the required browsers if there is no WebAssembly", async () => {
  const message = await inPage(async () => {
    // @ts-expect-error as in the Lockdown Mode of Safari
    delete globalThis.WebAssembly;
    const { listSessions } = await import("/pkg/index.js");
    return listSessions({ baseUrl: location.origin }).catch(
      (/** @type {Error} */ { message }) => message,
    );
  });
  assert.equal(message, notSupported("csm-image-to-3d"));
});

test("a failed load is retried by the next call", async () => {
  const outcomes = await inPage(async () => {
    const { createSession } = await import("/pkg/index.js");
    const image = await (await fetch("/samples/turtle.webp")).blob();
    const outcome = () =>
      createSession({ image, baseUrl: location.origin }).then(
        (/** @type {any} */ session) => session.status,
        (/** @type {any} */ error) => error.kind,
      );
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async () => {
      throw new Error("out of memory");
    };
    const first = await outcome();
    WebAssembly.instantiate = instantiate;
    return [first, await outcome()];
  });
  assert.deepEqual(outcomes, ["internal", "spin_generate_processing"]);
});

test("a panic rejects pending calls, and the next call works", async () => {
  const outcomes = await inPage(async () => {
    const { createSession } = await import("/pkg/index.js");
    const image = await (await fetch("/samples/turtle.webp")).blob();
    const outcome = (/** @type {object} */ options) =>
      createSession({ image, baseUrl: location.origin, ...options }).then(
        (/** @type {any} */ session) => session.status,
        (/** @type {any} */ error) => `${error.name} ${error.kind} ${error.sent}`,
      );
    /** Lets the library panic: js-sys asserts that both sides of a copy have the same length. */
    const panic = async () => {
      const { subarray } = Uint8Array.prototype;
      const chunk = 1024 * 1024;
      Uint8Array.prototype.subarray = function (start, end) {
        return subarray.call(this, start, this.length === chunk ? 1 : end);
      };
      try {
        return await outcome({ image: new Blob([image, new Uint8Array(2_000_000)]) });
      } finally {
        Uint8Array.prototype.subarray = subarray;
      }
    };
    const never = () => new Promise(() => {});
    const pending = [outcome({ fetch: never }), outcome({ apiKey: never })];
    const before = await outcome({});
    const panicked = await panic();
    const after = [before, panicked, ...(await Promise.all(pending))];
    after.push(await outcome({}), await outcome({}));
    // Promises of the old instance may still settle.
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [...after, await outcome({})];
  });
  const rejected = "ImageTo3dError internal unknown";
  const created = "spin_generate_processing";
  assert.deepEqual(outcomes, [
    created,
    ...[rejected, rejected, rejected],
    ...[created, created, created],
  ]);
});
