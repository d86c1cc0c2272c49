// The React hook in strict mode, in a development build of React.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { build } from "esbuild";

import { server, startChromium } from "../support/browsers.js";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {string} */
let script;
/** @type {import("playwright-core").Page} */
let page;

before(async () => {
  browser = await startChromium();
  const { outputFiles } = await build({
    entryPoints: ["tests/support/hook-page.js"],
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    define: { "process.env.NODE_ENV": '"development"' },
    plugins: [
      {
        name: "the package of the server",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/index\.js$/ }, () => ({
            path: "/pkg/index.js",
            external: true,
          })),
      },
    ],
  });
  script = outputFiles[0].text;
});
after(() => browser.close());

beforeEach(async () => {
  await page?.close();
  page = await browser.newPage();
  await page.goto(`${server}/health`);
  await page.setContent("<body></body>");
  await page.addScriptTag({ type: "module", content: script });
  await page.waitForFunction("globalThis.hookHelpers");
  await page.evaluate(() => localStorage.clear());
});

/** The key of the stored session in the tests. */
const storageKey = "k";

test("creates one session, reports its progress, and forgets it when it is done", async () => {
  const result = await page.evaluate(async (storageKey) => {
    const { mount, hook, until, sessions, requests, image } = hookHelpers;
    await mount({ storageKey });
    const session = hook().start({ image });
    await until(() => hook().state === "generating");
    const { progress, running } = hook();
    const stored = localStorage.getItem(storageKey);
    sessions.SESSION_1_0 = { status: "preview_done" };
    const { session_code } = (await session) ?? {};
    await until(() => hook().state === "done");
    const posts = requests.filter((request) => request.startsWith("POST")).length;
    const left = localStorage.getItem(storageKey);
    return { progress, running, stored, session_code, posts, left };
  }, storageKey);
  assert.deepEqual(result, {
    progress: 40,
    running: true,
    stored: '{"code":"SESSION_1_0","until":"preview"}',
    session_code: "SESSION_1_0",
    posts: 1,
    left: null,
  });
});

test("cancels and deletes with the connection of the call", async () => {
  const { state, deleted } = await page.evaluate(async () => {
    const { mount, hook, until, requests, image } = hookHelpers;
    await mount({ onAbort: "delete" });
    void hook().start({ image, baseUrl: "https://other.example" });
    await until(() => hook().state === "generating");
    hook().cancel();
    await until(() => hook().state === "cancelled");
    await until(() => requests.at(-1)?.startsWith("DELETE"));
    return { state: hook().state, deleted: requests.at(-1) };
  });
  assert.equal(state, "cancelled");
  assert.equal(deleted, "DELETE https://other.example/image-to-3d-sessions/SESSION_1_0");
});

test("keeps the session when the component is unmounted, and when it is resumed again", async () => {
  const result = await page.evaluate(async (storageKey) => {
    const { mount, hook, until, setMode, sessions, requests, image } = hookHelpers;
    await mount({ storageKey, onAbort: "delete" });
    void hook().start({ image });
    await until(() => hook().state === "generating");
    setMode("unmounted");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const count = requests.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    const polls = requests.length - count;
    setMode("visible");
    await until(() => requests.length > count && hook().state === "generating");
    const resumed = hook().resume("SESSION_1_0", "refine");
    await until(() => hook().session);
    sessions.SESSION_1_0 = { status: "refine_done" };
    await resumed;
    await until(() => hook().state === "done");
    return { polls, deleted: requests.some((request) => request.startsWith("DELETE")) };
  }, storageKey);
  assert.deepEqual(result, { polls: 0, deleted: false });
});

test("is idle after its effects have ended without an unmount", async () => {
  const states = await page.evaluate(async () => {
    const { mount, hook, until, setMode, image } = hookHelpers;
    await mount();
    void hook().start({ image });
    await until(() => hook().state === "generating");
    setMode("hidden");
    await new Promise((resolve) => setTimeout(resolve, 50));
    setMode("visible");
    await until(() => !hook().running);
    return hook().state;
  });
  assert.equal(states, "idle");
});

test("ignores what is stored if it is no session, or one that no longer exists", async () => {
  for (const stored of ["{}", "5", "[]", "null", "x", '"SESSION_1_1"', '{"code":"SESSION_1_1"}']) {
    const state = await page.evaluate(
      async ({ storageKey, stored }) => {
        localStorage.setItem(storageKey, stored);
        await hookHelpers.mount({ storageKey });
        await new Promise((resolve) => setTimeout(resolve, 50));
        return hookHelpers.hook().state;
      },
      { storageKey, stored },
    );
    assert.equal(state, "idle", stored);
  }
  const result = await page.evaluate(async (storageKey) => {
    const { mount, hook, until, requests } = hookHelpers;
    localStorage.setItem(storageKey, '{"code":"SESSION_9_9","until":"preview"}');
    await mount({ storageKey });
    await until(() => requests.length > 0 && hook().state === "idle");
    await until(() => localStorage.getItem(storageKey) === null);
    return hook().error;
  }, storageKey);
  assert.equal(result, undefined);
});

test("uses the callbacks of the last rendering, and forgets only its own session", async () => {
  const result = await page.evaluate(async (storageKey) => {
    const { mount, hook, until, setOptions, sessions, image } = hookHelpers;
    /** @type {string[]} */
    const seen = [];
    await mount({ storageKey, onUpdate: ({ percent_done }) => seen.push(`A${percent_done}`) });
    const done = hook().start({ image });
    await until(() => seen.length > 0);
    setOptions({ onUpdate: ({ percent_done }) => seen.push(`B${percent_done}`) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    sessions.SESSION_1_0 = { status: "training_preview", percent_done: 50 };
    await until(() => seen.length > 1);
    const other = '{"code":"SESSION_5_5","until":"preview"}';
    localStorage.setItem(storageKey, other);
    sessions.SESSION_1_0 = { status: "preview_failed" };
    await done;
    await until(() => hook().state === "failed");
    return { seen, kept: localStorage.getItem(storageKey) === other };
  }, storageKey);
  assert.deepEqual(result, { seen: ["A40", "B50", "Bundefined"], kept: true });
});

test("never rejects, and tells whether something was sent", async () => {
  const result = await page.evaluate(async () => {
    const { mount, hook, until, image } = hookHelpers;
    await mount({
      onProgress() {
        throw new Error("of the app");
      },
    });
    const returned = await hook().start({ image });
    await until(() => hook().state === "failed");
    const { kind, sent, message } = /** @type {any} */ (hook().error);
    return { returned: returned === undefined, kind, sent, message };
  });
  assert.deepEqual(result, {
    returned: true,
    kind: "internal",
    sent: "no",
    message: "of the app",
  });
});

test("keeps the stored session of another component when a call fails", async () => {
  const kept = await page.evaluate(async (storageKey) => {
    const { mount, hook, until } = hookHelpers;
    await mount({ storageKey });
    const other = '{"code":"SESSION_5_5","until":"preview"}';
    localStorage.setItem(storageKey, other);
    await hook().start({ image: new Blob(), creativity: /** @type {any} */ ("high") });
    await until(() => hook().state === "failed");
    return localStorage.getItem(storageKey) === other && hook().error?.kind;
  }, storageKey);
  assert.equal(kept, "invalid_options");
});

test("keeps a session that waits for the selection of a spin", async () => {
  const stored = await page.evaluate(async (storageKey) => {
    const { mount, hook, until, sessions, image } = hookHelpers;
    await mount({ storageKey });
    const done = hook().start({ image, preview_mesh: "turbo" });
    await until(() => hook().state === "generating");
    sessions.SESSION_1_0 = { status: "spin_generate_done", spins: [{ image_url: "" }] };
    await done;
    await until(() => hook().state === "done");
    return localStorage.getItem(storageKey);
  }, storageKey);
  assert.equal(stored, '{"code":"SESSION_1_0","until":"spins"}');
});
