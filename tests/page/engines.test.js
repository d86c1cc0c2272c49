// The demo page on a server with remote engines. The engines are emulated by
// `crates/server/examples/emulators.rs`, which `cargo test` builds.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { server, startChromium } from "../support/browsers.js";
import { canary } from "../support/keys.js";
import { startProgram, waitForOutput } from "../support/programs.js";
import { startServer } from "../support/server.js";
import { dropTurtle, slowDrawing, waitForModel, waitForRotation } from "../support/viewer.js";

/** @import { Browser, Page, Request } from "playwright-core" */

/**
 * The address of an engine.
 *
 * @typedef {object} Service
 * @property {string} url
 * @property {string} [files] the host of its results
 * @property {string} [workflow] the path of a workflow, for ComfyUI
 */

const engineNames = /** @type {const} */ (["comfyui", "fal", "hunyuan", "meshy", "tripo"]);

/** @typedef {typeof engineNames[number] | "lossy"} EmulatorName */
/** @type {Record<EmulatorName, Service> & { key: string, billing: string }} */
let emulators;
/** @type {Browser} */
let browser;
/** Renders models, which is slow without a GPU. @type {Browser} */
let renderingBrowser;
const folder = mkdtempSync(join(tmpdir(), "engines-"));

before(async () => {
  const [line] = await waitForOutput(startProgram("target/debug/examples/emulators", []), /^.+\n/);
  emulators = JSON.parse(line);
  browser = await startChromium();
  renderingBrowser = await startChromium({ draws: true });
});
after(async () => {
  await Promise.all([browser?.close(), renderingBrowser?.close()]);
  rmSync(folder, { recursive: true });
});

const outlineNote = "In a photo, a small neural network finds the object.";

/** Part of every engine key, and of the keys with which the emulators sign URLs. */
const secretMark = "ENGINESECRET";

/**
 * Starts a server with remote engines; its environment holds their API keys.
 *
 * @param {Record<string, Service>} engines
 * @param {string} [settings] further settings of the configuration file
 */
async function serve(engines, settings = "") {
  const tables = Object.entries(engines).map(
    ([name, { url, files, workflow }]) =>
      `[engines.${name}]\nurl = "${url}"\npoll = 0.02\n` +
      (files ? `result_hosts = ["${files}"]\n` : "") +
      (workflow ? `workflow = ${JSON.stringify(workflow)}\n` : ""),
  );
  const config = join(folder, "config.toml");
  writeFileSync(config, `${settings}\n${tables.join("")}`);
  const flags = ["--config", config, "--site", "dist", "--speed", "20", "--log"];
  const { key } = emulators;
  assert.ok(key.includes(secretMark));
  return startServer(flags, { FAL_KEY: key, MESHY_API_KEY: key, TRIPO_API_KEY: key });
}

/**
 * @typedef {object} Settings
 * @property {RegExp} [expected] what the page may log
 * @property {boolean} [draws] whether the browser can render the model
 */

/**
 * Opens the page of a server. `close` fails if an engine's key appears in the page, its log, its
 * storage, the server's responses or the server's output, or if the page has logged anything
 * unexpected.
 *
 * @param {Awaited<ReturnType<typeof serve>>} gateway
 * @param {Settings} settings
 */
async function openPage({ address, printed }, { expected, draws = false }) {
  const page = await (draws ? renderingBrowser : browser).newPage();
  /** @type {string[]} */
  const logged = [];
  page.on("console", (message) => logged.push(message.text()));
  page.on("pageerror", (error) => logged.push(String(error)));
  /** @type {Promise<string>[]} */
  const responses = [];
  const readResponse = async (/** @type {Request} */ request) => {
    const response = await request.response();
    const headers = JSON.stringify(await response?.allHeaders());
    return headers + (await response?.text());
  };
  // Responses are gone once the page navigates.
  page.on("requestfinished", (request) => responses.push(readResponse(request).catch(() => "")));
  await page.goto(address);
  const close = async () => {
    const state = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
    const all = [...(await Promise.all(responses)), await page.content(), state, ...logged];
    await page.close();
    const { out, err } = printed;
    assert.ok(all.some((text) => text.includes('"session_code"')) && err.includes("POST /image"));
    for (const text of [...all, out, err]) {
      assert.ok(!text.includes(secretMark), `an engine's key appears in ${text.slice(0, 300)}`);
    }
    assert.deepEqual(
      logged.filter((text) => !expected?.test(text) && !slowDrawing.test(text)),
      [],
    );
  };
  return { page, close };
}

/**
 * Opens the page of a server, uses it, and closes it.
 *
 * @param {Awaited<ReturnType<typeof serve>>} gateway
 * @param {(page: Page) => Promise<void>} visit
 * @param {Settings} [settings]
 */
async function withPage(gateway, visit, settings = {}) {
  const { page, close } = await openPage(gateway, settings);
  try {
    await visit(page);
  } catch (error) {
    await page.close();
    throw error;
  }
  await close();
}

const engineChoice = (/** @type {Page} */ page) =>
  page.getByRole("combobox", { name: "Engine", exact: true });

const snippets = async (/** @type {Page} */ page) => [
  await page.locator("#javascript").innerText(),
  await page.locator("#curl").innerText(),
];

/**
 * Creates a session, and waits until its status contains a text.
 *
 * @param {Page} page
 * @param {string} text
 */
async function create(page, text) {
  const before = (await page.locator("#session-status").textContent()) ?? "";
  await page.getByRole("button", { name: "Create session" }).click();
  // From the page instead of the response, whose body the browser may have discarded.
  const shown = await page.waitForFunction((before) => {
    const text = document.querySelector("#session-status")?.textContent ?? "";
    const code = text.match(/SESSION_\d+_\d+/)?.[0];
    return code && !before.includes(code) ? code : undefined;
  }, before);
  const code = String(await shown.jsonValue());
  const status = page.locator("#session-status").filter({ hasText: code });
  await status.filter({ hasText: text }).waitFor();
  const session = JSON.parse((await page.locator("#json").textContent()) ?? "");
  return { status: await status.innerText(), session };
}

/** Returns how many models each engine has billed. */
const fetchBilled = async () => (await fetch(emulators.billing)).json();

/**
 * Reads the vertices, the texture and the number of faces of a GLB with one mesh.
 *
 * @param {Buffer} glb
 */
function readGlb(glb) {
  const length = glb.readUInt32LE(12);
  const json = JSON.parse(glb.subarray(20, 20 + length).toString());
  const binary = glb.subarray(28 + length);
  const view = (/** @type {number} */ index) => {
    const { byteOffset = 0, byteLength } = json.bufferViews[index];
    return binary.subarray(byteOffset, byteOffset + byteLength);
  };
  const [{ attributes, indices }] = json.meshes[0].primitives;
  return {
    vertices: view(json.accessors[attributes.POSITION].bufferView),
    texture: view(json.images[0].bufferView),
    faces: json.accessors[indices].count / 3,
  };
}

// The tests share a page: without a GPU, each page takes seconds to prepare its lighting.
describe("with all engines", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let gateway;
  /** @type {Awaited<ReturnType<typeof openPage>>} */
  let opened;
  before(async () => {
    const engines = engineNames.map((name) => [name, emulators[name]]);
    gateway = await serve(Object.fromEntries(engines));
    opened = await openPage(gateway, { draws: true });
    await opened.page.getByText("For enterprise users").click();
  });
  after(() => opened?.close());

  for (const engine of engineNames) {
    test(`shows a model that ${engine} made of a dropped image`, async () => {
      const { page } = opened;
      const before = await fetchBilled();
      const choice = engineChoice(page);
      await choice.waitFor();
      const options = await choice.getByRole("option").allInnerTexts();
      assert.deepEqual(options, ["sculpt (default)", ...engineNames]);
      await choice.selectOption("sculpt (default)");
      assert.ok(await page.getByText(outlineNote).isVisible());
      // Selects the engine by keyboard.
      await choice.focus();
      await page.keyboard.press(engine[0]);
      assert.equal(await choice.inputValue(), engine);
      assert.ok(!(await page.getByText(outlineNote).isVisible()));
      await page.getByLabel("Creativity").selectOption("highest");
      for (const [label, length] of [
        ["Width", "1"],
        ["Height", "2"],
        ["Depth", "3"],
      ]) {
        await page.getByLabel(label, { exact: true }).fill(length);
      }
      const [javascript, curl] = await snippets(page);
      assert.ok(javascript.includes(`extra: { engine: "${engine}" },`), javascript);
      assert.ok(curl.includes(`"engine":"${engine}"`), curl);

      await dropTurtle(page);
      const { session } = await create(page, "preview_done");
      assert.equal(session.engine, engine);
      assert.deepEqual(session.unsupported, ["creativity"]);
      const engineNote = await page.locator("#engine").innerText();
      assert.equal(engineNote, `Engine: ${engine}; not supported: creativity`);
      assert.ok(session.preview_mesh_url_glb.startsWith(`${gateway.address}/files/`));

      await waitForModel(page);
      await waitForRotation(page);

      const downloading = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download GLB" }).click();
      const served = readGlb(readFileSync(await (await downloading).path()));
      const response = await fetch(`${emulators.billing}/model.glb`);
      const made = readGlb(Buffer.from(await response.arrayBuffer()));
      assert.ok(served.vertices.equals(made.vertices) && served.texture.equals(made.texture));
      // The server scaled the model to the requested dimensions.
      const info = await page.locator("#model-info").innerText();
      const faces = made.faces.toLocaleString("en");
      assert.equal(info, `1 × 2 × 3 (width × height × depth), ${faces} faces`);
      assert.deepEqual(await fetchBilled(), { ...before, [engine]: before[engine] + 1 });
    });
  }
});

test("shows why an engine failed and that it may have charged", async () => {
  const gateway = await serve({ fal: emulators.lossy });
  await withPage(gateway, async (page) => {
    await engineChoice(page).selectOption("fal");
    await dropTurtle(page);
    const { status } = await create(page, "The session failed");
    assert.match(
      status,
      /^Session SESSION_\d+_\d+: The session failed with status preview_failed: fal: HTTP 502: .+; the model may have been charged and is not requested again\.$/,
    );
    assert.equal(await page.locator("#engine").innerText(), "Engine: fal");
    assert.ok(await page.getByRole("button", { name: "Create session" }).isEnabled());
    assert.equal(await page.getByRole("button", { name: "Download GLB" }).count(), 0);
  });
  assert.equal((await fetchBilled()).lossy, 1);
});

test("keeps an engine choice for its server only", async () => {
  const { hunyuan, meshy } = emulators;
  const gateway = await serve({ hunyuan, meshy }, 'default = "hunyuan"');
  await withPage(gateway, async (page) => {
    const choice = engineChoice(page);
    await choice.waitFor();
    const options = await choice.getByRole("option").allInnerTexts();
    assert.deepEqual(options, ["hunyuan (default)", "sculpt", "meshy"]);
    assert.ok(!(await page.getByText(outlineNote).isVisible()));
    await choice.selectOption("sculpt");

    await page.getByLabel("In this page").check();
    await choice.waitFor({ state: "hidden" });
    await dropTurtle(page);
    await page.locator("#session-status").getByText("preview_done").waitFor();
    assert.ok(!(await snippets(page)).join().includes("engine"));

    await page.getByLabel("Another server").check();
    await page.waitForLoadState("networkidle");
    assert.equal(await choice.isVisible(), false);

    await page.getByLabel("Local server").check();
    await choice.waitFor();
    assert.equal(await choice.inputValue(), "sculpt");
    const { session } = await create(page, "preview_done");
    assert.equal(session.engine, "sculpt");
  });
});

test("hides the choice for a single engine or an unknown response", async () => {
  const page = await browser.newPage();
  try {
    const responding = page.waitForResponse(`${server}/sandbox/engines`);
    await page.goto(server);
    assert.deepEqual((await (await responding).json()).data.results, ["sculpt"]);
    await page.waitForLoadState("networkidle");
    assert.equal(await engineChoice(page).isVisible(), false);
    assert.ok(!(await snippets(page)).join().includes("engine"));

    for (const response of [
      { status: 404, json: { message: "there is no such path" } },
      { json: { data: { results: "sculpt" } } },
      { body: "<html>" },
    ]) {
      await page.route("**/sandbox/engines", (route) => route.fulfill(response));
      const responding = page.waitForResponse("**/sandbox/engines");
      await page.reload();
      await responding;
      await page.waitForLoadState("networkidle");
      assert.equal(await engineChoice(page).isVisible(), false);
      await page.unroute("**/sandbox/engines");
    }
  } finally {
    await page.close();
  }
});

test("shows the choice after the key if the server requires one", async () => {
  const key = `client-${canary}-of-the-page`;
  const clients = join(folder, "clients");
  writeFileSync(clients, `page ${key}\n`, { mode: 0o600 });
  const gateway = await serve({ fal: emulators.fal }, `clients_file = "${clients}"`);
  await withPage(
    gateway,
    async (page) => {
      const rejecting = page.waitForResponse("**/sandbox/engines");
      await page.reload();
      assert.equal((await rejecting).status(), 401);
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
    { expected: /401/ },
  );
});
