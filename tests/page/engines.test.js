// The demo page in front of engines elsewhere. They are emulated: `server/examples/emulators.rs`,
// which `cargo test` builds.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { server, startChromium } from "../support/browsers.js";
import { canary } from "../support/keys.js";
import { startProgram, waitForOutput } from "../support/programs.js";
import { dropTurtle, slowDrawing, waitForModel } from "../support/viewer.js";

/** @import { Browser, Page, Request } from "playwright-core" */

/** @typedef {{ url: string, files?: string }} Place where an engine is, and its results */

/** @type {Record<"hunyuan" | "fal" | "meshy" | "lossy", Place> & { key: string, billing: string }} */
let emulators;
/** @type {Browser} */
let browser;
const folder = mkdtempSync(join(tmpdir(), "engines-"));

before(async () => {
  const [line] = await waitForOutput(startProgram("target/debug/examples/emulators", []), /^.+\n/);
  emulators = JSON.parse(line);
  browser = await startChromium({ draws: true });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** In every key of an engine, and in what the emulators sign their addresses with. */
const mark = "ENGINESECRET";

/**
 * Starts a server with engines elsewhere, whose keys are in its environment.
 *
 * @param {Record<string, Place>} engines
 * @param {string} [configured] what the configuration says beside them
 */
async function serve(engines, configured = "") {
  const tables = Object.entries(engines).map(
    ([name, { url, files }]) =>
      `[engines.${name}]\nurl = "${url}"\npoll = 0.02\n` +
      (files ? `result_hosts = ["${files}"]\n` : ""),
  );
  const config = join(folder, "config.toml");
  writeFileSync(config, `${configured}\n${tables.join("")}`);
  const flags = ["--config", config, "--site", "dist", "--port", "0", "--speed", "20", "--log"];
  const { key } = emulators;
  assert.ok(key.includes(mark));
  const environment = { FAL_KEY: key, MESHY_API_KEY: key };
  const program = startProgram("target/debug/csm-image-to-3d-server", flags, environment);
  const [, address] = await waitForOutput(program, /^listening on (\S+)\n/);
  return { address, printed: program.printed };
}

/**
 * Opens the page of a server. Neither what it prints, shows, keeps and gets from the server, nor what
 * the server prints, may hold anything of an engine's key.
 *
 * @param {Awaited<ReturnType<typeof serve>>} gateway
 * @param {(page: Page) => Promise<void>} visit
 * @param {RegExp} [expected] what the page may print
 */
async function withPage({ address, printed }, visit, expected = slowDrawing) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const told = [];
  page.on("console", (message) => told.push(message.text()));
  page.on("pageerror", (error) => told.push(String(error)));
  /** @type {Promise<string>[]} */
  const answers = [];
  const answerTo = async (/** @type {Request} */ request) => {
    const response = await request.response();
    const head = JSON.stringify(await response?.allHeaders());
    return head + (await response?.text());
  };
  // Of a page that was left, nothing can be had any more.
  page.on("requestfinished", (request) => answers.push(answerTo(request).catch(() => "")));
  try {
    await page.goto(address);
    await visit(page);
    const state = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
    const all = [...(await Promise.all(answers)), await page.content(), state, ...told];
    const { out, err } = printed;
    assert.ok(all.some((text) => text.includes('"session_code"')) && err.includes("POST /image"));
    for (const text of [...all, out, err]) {
      assert.ok(!text.includes(mark), `an engine's key is in ${text.slice(0, 300)}`);
    }
  } finally {
    await page.close();
  }
  assert.deepEqual(
    told.filter((text) => !expected.test(text) && !slowDrawing.test(text)),
    [],
  );
}

const engineChoice = (/** @type {Page} */ page) =>
  page.getByRole("combobox", { name: "Engine", exact: true });

const code = async (/** @type {Page} */ page) => [
  await page.locator("#javascript").innerText(),
  await page.locator("#curl").innerText(),
];

/**
 * Creates a session, and waits until the page says this of it.
 *
 * @param {Page} page
 * @param {string} word
 */
async function create(page, word) {
  const created = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button", { name: "Create session" }).click();
  const { data } = await (await created).json();
  const outcome = page.locator("#outcome").filter({ hasText: data.session_code });
  await outcome.filter({ hasText: word }).waitFor();
  const session = JSON.parse((await page.locator("#json").textContent()) ?? "");
  return { said: await outcome.innerText(), session };
}

/** How many models each engine would have billed. */
const billing = async () => (await fetch(emulators.billing)).json();

/**
 * What a GLB of one mesh holds: the bytes of its corners and of its texture, and its faces.
 *
 * @param {Buffer} glb
 */
function content(glb) {
  const length = glb.readUInt32LE(12);
  const json = JSON.parse(glb.subarray(20, 20 + length).toString());
  const binary = glb.subarray(28 + length);
  const view = (/** @type {number} */ index) => {
    const { byteOffset = 0, byteLength } = json.bufferViews[index];
    return binary.subarray(byteOffset, byteOffset + byteLength);
  };
  const [{ attributes, indices }] = json.meshes[0].primitives;
  return {
    corners: view(json.accessors[attributes.POSITION].bufferView),
    texture: view(json.images[0].bufferView),
    faces: json.accessors[indices].count / 3,
  };
}

for (const engine of /** @type {const} */ (["hunyuan", "fal", "meshy"])) {
  test(`a dropped picture becomes a turning model that ${engine} made`, async () => {
    const { hunyuan, fal, meshy } = emulators;
    const gateway = await serve({ hunyuan, fal, meshy });
    const before = await billing();
    await withPage(gateway, async (page) => {
      const choice = engineChoice(page);
      await choice.waitFor();
      const options = await choice.getByRole("option").allInnerTexts();
      assert.deepEqual(options, ["sculpt (default)", "fal", "hunyuan", "meshy"]);
      assert.ok(await page.getByText("no learned model is at work").isVisible());
      // By keyboard.
      await choice.focus();
      await page.keyboard.press(engine[0]);
      assert.equal(await choice.inputValue(), engine);
      assert.ok(!(await page.getByText("no learned model is at work").isVisible()));
      await page.getByLabel("Creativity").selectOption("highest");
      await page.getByText("For enterprise users").click();
      for (const [label, length] of [
        ["Width", "1"],
        ["Height", "2"],
        ["Depth", "3"],
      ]) {
        await page.getByLabel(label, { exact: true }).fill(length);
      }
      const [javascript, curl] = await code(page);
      assert.ok(javascript.includes(`extra: { engine: "${engine}" },`), javascript);
      assert.ok(curl.includes(`"engine":"${engine}"`), curl);

      await dropTurtle(page);
      const { session } = await create(page, "preview_done");
      assert.equal(session.engine, engine);
      assert.deepEqual(session.unsupported, ["creativity"]);
      const shown = await page.locator("#engine").innerText();
      assert.equal(shown, `Engine: ${engine}; not honoured: creativity`);
      assert.ok(session.preview_mesh_url_glb.startsWith(`${gateway.address}/files/`));

      await waitForModel(page);
      const angle = () =>
        page.evaluate(
          () => /** @type {any} */ (document.getElementById("viewer")).turntableRotation,
        );
      const still = await angle();
      for (const until = Date.now() + 60_000; (await angle()) === still;) {
        assert.ok(Date.now() < until, "it does not turn");
        await page.waitForTimeout(100);
      }

      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download GLB" }).click();
      const served = content(readFileSync(await (await coming).path()));
      const answer = await fetch(`${emulators.billing}/model.glb`);
      const made = content(Buffer.from(await answer.arrayBuffer()));
      assert.ok(served.corners.equals(made.corners) && served.texture.equals(made.texture));
      // Given the size that was asked for.
      const facts = await page.locator("#facts").innerText();
      const faces = made.faces.toLocaleString("en");
      assert.equal(facts, `1 × 2 × 3 (width × height × depth), ${faces} faces`);
    });
    assert.deepEqual(await billing(), { ...before, [engine]: before[engine] + 1 });
  });
}

test("an engine that fails is told in words, and that it may have been charged", async () => {
  const gateway = await serve({ fal: emulators.lossy });
  await withPage(gateway, async (page) => {
    await engineChoice(page).selectOption("fal");
    await dropTurtle(page);
    const { said, session } = await create(page, "The session ended");
    assert.ok(said.startsWith(`Session ${session.session_code}: The session ended as `), said);
    assert.match(said, /preview_failed: fal: it answered 502: .*; it may have been charged/);
    assert.equal(await page.locator("#engine").innerText(), "Engine: fal");
    assert.ok(await page.getByRole("button", { name: "Create session" }).isEnabled());
    assert.equal(await page.getByRole("button", { name: "Download GLB" }).count(), 0);
  });
  assert.equal((await billing()).lossy, 1);
});

test("a choice is for the server that offers it, and is kept there", async () => {
  const { hunyuan, meshy } = emulators;
  const gateway = await serve({ hunyuan, meshy }, 'default = "hunyuan"');
  await withPage(gateway, async (page) => {
    const choice = engineChoice(page);
    await choice.waitFor();
    const options = await choice.getByRole("option").allInnerTexts();
    assert.deepEqual(options, ["hunyuan (default)", "sculpt", "meshy"]);
    assert.ok(!(await page.getByText("no learned model is at work").isVisible()));
    await choice.selectOption("sculpt");

    await page.getByLabel("In this page").check();
    await choice.waitFor({ state: "hidden" });
    await dropTurtle(page);
    await page.locator("#outcome").getByText("preview_done").waitFor();
    assert.ok(!(await code(page)).join().includes("engine"));

    await page.getByLabel("Another address").check();
    await page.waitForLoadState("networkidle");
    assert.equal(await choice.isVisible(), false);

    await page.getByLabel("This machine's server").check();
    await choice.waitFor();
    assert.equal(await choice.inputValue(), "sculpt");
    const { session } = await create(page, "preview_done");
    assert.equal(session.engine, "sculpt");
  });
});

test("a server with one engine offers no choice, and so does one that is another's", async () => {
  const page = await browser.newPage();
  try {
    const answered = page.waitForResponse(`${server}/sandbox/engines`);
    await page.goto(server);
    assert.deepEqual((await (await answered).json()).data.results, ["sculpt"]);
    await page.waitForLoadState("networkidle");
    assert.equal(await engineChoice(page).isVisible(), false);
    assert.ok(!(await code(page)).join().includes("engine"));

    for (const answer of [
      { status: 404, json: { message: "there is no such path" } },
      { json: { data: { results: "sculpt" } } },
      { body: "<html>" },
    ]) {
      await page.route("**/sandbox/engines", (route) => route.fulfill(answer));
      const answered = page.waitForResponse("**/sandbox/engines");
      await page.reload();
      await answered;
      await page.waitForLoadState("networkidle");
      assert.equal(await engineChoice(page).isVisible(), false);
      await page.unroute("**/sandbox/engines");
    }
  } finally {
    await page.close();
  }
});

test("where callers need a key, the choice is there once the key is", async () => {
  const key = `client-${canary}-of-the-page`;
  const clients = join(folder, "clients");
  writeFileSync(clients, `page ${key}\n`, { mode: 0o600 });
  const gateway = await serve({ fal: emulators.fal }, `clients_file = "${clients}"`);
  await withPage(
    gateway,
    async (page) => {
      const refused = page.waitForResponse("**/sandbox/engines");
      await page.reload();
      assert.equal((await refused).status(), 401);
      await page.waitForTimeout(200);
      const choice = engineChoice(page);
      assert.equal(await choice.isVisible(), false);
      await page.getByLabel("API key").fill(key);
      await page.keyboard.press("Tab");
      await choice.waitFor();
      await choice.selectOption("fal");
      await dropTurtle(page);
      assert.equal((await create(page, "preview_done")).session.engine, "fal");
    },
    /401/,
  );
});
