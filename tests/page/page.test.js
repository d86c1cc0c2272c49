// The demo page on the project's server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { otherOrigin, server, startChromium } from "../support/browsers.js";
import { holdSessions } from "../support/hold-sessions.js";
import { canary } from "../support/keys.js";
import {
  dropTurtle,
  inspectModel,
  rotation,
  slowDrawing,
  waitForModel,
  waitForRotation,
} from "../support/viewer.js";

/** @import { Browser, Page } from "playwright-core" */

/** @type {Browser} */
let browser;
/** Renders models, which is slow without a GPU. @type {Browser} */
let renderingBrowser;
before(async () => {
  browser = await startChromium();
  renderingBrowser = await startChromium({ draws: true });
});
after(() => Promise.all([browser.close(), renderingBrowser.close()]));

/**
 * @typedef {object} Settings
 * @property {RegExp} [expected] what the page may log
 * @property {boolean} [draws] whether the browser can render the model
 * @property {import("playwright-core").BrowserContextOptions} [options]
 */

/**
 * Opens the page. `close` fails if the page has logged anything unexpected, or has sent a request to
 * another origin than the server's two.
 *
 * @param {Settings} settings
 */
async function openPage({ expected, draws = false, options }) {
  const page = await (draws ? renderingBrowser : browser).newPage(options);
  /** @type {string[]} */
  const logged = [];
  page.on("console", (message) => logged.push(message.text()));
  page.on("pageerror", (error) => logged.push(String(error)));
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== server && origin !== otherOrigin && !request.url().startsWith("data:")) {
      logged.push(`requested ${request.url()}`);
    }
  });
  await page.goto(server);
  const close = async () => {
    await page.close();
    console.log(logged.join("\n"));
    assert.deepEqual(
      logged.filter((text) => !expected?.test(text) && !slowDrawing.test(text)),
      [],
    );
  };
  return { page, close };
}

/**
 * Opens the page, uses it, and closes it.
 *
 * @param {(page: Page) => Promise<void>} visit
 * @param {Settings} [settings]
 */
async function withPage(visit, settings = {}) {
  const { page, close } = await openPage(settings);
  try {
    await visit(page);
  } catch (error) {
    await page.close();
    throw error;
  }
  await close();
}

/** The session's status; <model-viewer> has an element of this role too. */
const status = (/** @type {Page} */ page) =>
  page.getByRole("status").and(page.locator("#session-status"));

/**
 * Chooses a sample, and waits until it is loaded.
 *
 * @param {Page} page
 * @param {string} name
 */
async function choose(page, name) {
  await page.getByRole("button", { name: `Sample ${name}` }).click();
  await page.getByText(new RegExp(`^${name}\\.\\w+, `)).waitFor();
}

const create = (/** @type {Page} */ page) =>
  page.getByRole("button", { name: "Create session" }).click();

for (const name of ["coffee.jpg", "astronaut.jpg", "rocket.jpg", "turtle.webp", "chelsea.png"]) {
  test(`creates a session from ${name}`, () =>
    withPage(async (page) => {
      await page.getByLabel("Image", { exact: true }).setInputFiles(`www/samples/${name}`);
      await create(page);
      await status(page)
        .getByText(/SESSION_\d+_\d+/)
        .waitFor();
      const json = await page.locator("#json").textContent();
      assert.equal(JSON.parse(json ?? "").generate_texture, true);
    }));
}

test("says which kind of shape was made", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await create(page);
    await waitForStatus(page, "preview_done");
    assert.equal(await page.locator("#engine").innerText(), "Engine: sculpt; shape: round");
  }));

test("creates a session from a dropped image", () =>
  withPage(async (page) => {
    await dropTurtle(page);
    await create(page);
    await status(page)
      .getByText(/SESSION_\d+_\d+/)
      .waitFor();
  }));

test("creates a session by keyboard on a narrow screen", () =>
  withPage(
    async (page) => {
      const pressByTab = async (/** @type {string} */ name) => {
        for (let presses = 0; presses < 60; presses++) {
          await page.keyboard.press("Tab");
          const label = await page.evaluate(
            () =>
              document.activeElement?.getAttribute("aria-label") ??
              document.activeElement?.textContent?.trim(),
          );
          if (label === name) return page.keyboard.press("Enter");
        }
        assert.fail(`Tab does not reach ${name}`);
      };
      await pressByTab("Sample cat");
      await page.getByText("cat.webp, 5.06 kB").waitFor();
      await pressByTab("Create session");
      await status(page)
        .getByText(/SESSION_\d+_\d+/)
        .waitFor();
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `the page overflows by ${overflow} pixels`);
    },
    { options: { viewport: { width: 360, height: 740 } } },
  ));

test("sends every parameter of the form and shows it in the snippets", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await page.getByText("For enterprise users").click();
    for (const [label, value] of [
      ["Preview", "turbo"],
      ["Creativity", "highest"],
      ["Refinement", "fast"],
      ["Topology", "quads"],
      ["Resolution", "low_poly"],
      ["Texture resolution", "256"],
    ]) {
      await page.getByLabel(label, { exact: true }).selectOption(value);
    }
    await page.getByLabel("Texture", { exact: true }).uncheck();
    await page.getByLabel("Refine automatically").check();
    for (const [label, value] of [
      ["Width", "1"],
      ["Height", "2.5"],
      ["Depth", "3"],
      ["x", "0.5"],
      ["y", "-0.5"],
      ["z", "0.25"],
    ]) {
      await page.getByLabel(label, { exact: true }).fill(value);
    }
    await create(page);
    await status(page)
      .getByText(/SESSION_/)
      .waitFor();
    const session = JSON.parse((await page.locator("#json").textContent()) ?? "");
    const expected = {
      creativity: "highest",
      generate_texture: false,
      auto_refine: true,
      refine_speed: "fast",
      preview_mesh: "turbo",
      topology: "quads",
      resolution: "low_poly",
      texture_resolution: 256,
      scaled_bbox: [1, 2.5, 3],
      pivot_point: [0.5, -0.5, 0.25],
    };
    assert.deepEqual({ ...session, ...expected }, session);
    const code = await page.locator("#javascript").innerText();
    const curl = await page.locator("#curl").innerText();
    for (const [name, value] of Object.entries(expected)) {
      if (name === "generate_texture") continue;
      assert.ok(code.includes(`${name}: ${JSON.stringify(value)}`), `${name} in ${code}`);
      assert.ok(curl.includes(`"${name}":${JSON.stringify(value)}`), `${name} in ${curl}`);
    }
  }));

/**
 * Waits until the status contains a text, and returns the session's code.
 *
 * @param {Page} page
 * @param {string} text
 */
async function waitForStatus(page, text) {
  await status(page).getByText(text).waitFor();
  return (await status(page).innerText()).match(/SESSION_\d+_\d+/)?.[0];
}

test("refines a preview and downloads the model", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await create(page);
    const code = await waitForStatus(page, "preview_done");
    await page.getByRole("button", { name: "Refine", exact: true }).click();
    assert.equal(await waitForStatus(page, "refine_done"), code);
    const stages = page.getByRole("list", { name: "Stages" }).getByRole("listitem");
    for (const [index, label] of ["Views", "Preview", "Refinement"].entries()) {
      assert.match(await stages.nth(index).innerText(), new RegExp(`^${label} (< )?\\d+\\.\\d s$`));
    }
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download GLB" }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), `${code}.glb`);
    assert.equal(
      readFileSync(await download.path())
        .subarray(0, 4)
        .toString(),
      "glTF",
    );
    assert.equal(await waitForStatus(page, "downloaded."), code);
  }));

test("builds the model from the selected view", () =>
  withPage(async (page) => {
    await choose(page, "cat");
    await page.getByLabel("Preview").selectOption("turbo");
    await page.getByLabel("Texture", { exact: true }).uncheck();
    await create(page);
    const code = await waitForStatus(page, "spin_generate_done");
    await page.getByRole("button", { name: "Use view 3 as the front" }).click();
    assert.equal(await waitForStatus(page, "preview_done"), code);
  }));

test("ignores views without a URL", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await holdSessions(page, { status: "spin_generate_done", spins: [null, { image_url: null }] });
    await create(page);
    await waitForStatus(page, "spin_generate_done");
    assert.equal(await page.locator("#choices").innerText(), "");
    assert.match((await page.locator("#json").textContent()) ?? "", /"spins"/);
  }));

/** A state that the library does not know. */
const unknownState = { status: "warming_up", session_status: "pondering" };

test("resumes a wait after a reload and keeps the session", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await page.getByLabel("API key").fill(canary);
    const release = await holdSessions(page, unknownState);
    await create(page);
    const code = await waitForStatus(page, "warming_up");
    await page.reload();
    await waitForStatus(page, "warming_up");
    await release();
    assert.equal(await waitForStatus(page, "preview_done"), code);
    await page.reload();
    await page.getByRole("button", { name: code }).click();
    assert.equal(await waitForStatus(page, "preview_done"), code);
    assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(canary));
  }));

test("cancels a wait and resumes it from the list", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    const release = await holdSessions(page, unknownState);
    await create(page);
    const code = await waitForStatus(page, "warming_up");
    await page.getByRole("button", { name: "Cancel" }).click();
    const stopped = "stopped waiting; the session keeps running.";
    assert.equal(await waitForStatus(page, stopped), code);
    assert.equal(await status(page).innerText(), `Session ${code}: ${stopped}`);
    await release();
    await page.getByRole("button", { name: code }).click();
    assert.equal(await waitForStatus(page, "preview_done"), code);
  }));

test("resumes a wait that a download interrupted", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    const release = await holdSessions(page, unknownState);
    await create(page);
    const code = await waitForStatus(page, "warming_up");
    await page.getByRole("button", { name: "Download GLB" }).click();
    assert.equal(await waitForStatus(page, "downloaded"), code);
    await release();
    await page.reload();
    assert.equal(await waitForStatus(page, "preview_done"), code);
  }));

test("shows the code of a failed session", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await page.getByLabel("API key").fill(`fault_preview-failed_${canary}`);
    await create(page);
    assert.match((await waitForStatus(page, "preview_failed")) ?? "", /^SESSION_/);
    assert.equal(await page.getByRole("button", { name: "Create session" }).isEnabled(), true);
  }));

test("shows errors as sentences and never the API key", () =>
  withPage(
    async (page) => {
      await create(page);
      await status(page).getByText("Choose an image first.", { exact: true }).waitFor();

      await page.getByLabel("Image", { exact: true }).setInputFiles("package.json");
      await create(page);
      await status(page).getByText("unrecognized image format").waitFor();

      // Neither Chromium nor the server reads it.
      await page.getByLabel("Image", { exact: true }).setInputFiles("tests/fixtures/image.heic");
      await create(page);
      await status(page).getByText("image: this browser cannot decode the file").waitFor();

      await choose(page, "turtle");
      const key = `fault_echo-json_${canary}`;
      await page.getByLabel("API key").fill(key);
      await create(page);
      await status(page).getByText("Invalid API key").waitFor();
      assert.ok(!(await page.innerText("body")).includes(key));

      await page.getByLabel("Another server").check();
      await page.getByLabel("API base URL").fill("http://127.0.0.1:20113");
      await create(page);
      await status(page).getByText("No response from http://127.0.0.1:20113").waitFor();
    },
    { expected: /Failed to load resource|requested http:\/\/127\.0\.0\.1:20113\// },
  ));

/**
 * Reads the dimensions and the number of faces of a GLB with one mesh, independently of the page.
 *
 * @param {Buffer} glb
 */
function measures(glb) {
  const json = JSON.parse(glb.subarray(20, 20 + glb.readUInt32LE(12)).toString());
  let faces = 0;
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (const { attributes, indices } of json.meshes[0].primitives) {
    faces += json.accessors[indices].count / 3;
    const positions = json.accessors[attributes.POSITION];
    for (const axis of [0, 1, 2]) {
      min[axis] = Math.min(min[axis], positions.min[axis]);
      max[axis] = Math.max(max[axis], positions.max[axis]);
    }
  }
  return { box: max.map((end, axis) => end - min[axis]), faces };
}

// The tests share a page: without a GPU, each page takes seconds to prepare its lighting.
describe("the viewer", () => {
  /** @type {Awaited<ReturnType<typeof openPage>>} */
  let opened;
  before(async () => {
    opened = await openPage({ draws: true, options: { reducedMotion: "reduce" } });
    await choose(opened.page, "turtle");
    await create(opened.page);
    await waitForModel(opened.page);
  });
  after(() => opened?.close());

  test("rotates the model only without reduced motion", async () => {
    const { page } = opened;
    const initial = await rotation(page);
    // Without reduced motion it starts after half a second, later on a machine that is slow to render.
    await page.waitForTimeout(5_000);
    assert.equal(await rotation(page), initial);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await waitForRotation(page);
    await page.emulateMedia({ reducedMotion: "reduce" });
  });

  test("shows the model with its real dimensions and faces", async () => {
    const { page } = opened;
    const { covered, colours, name, info } = await inspectModel(page);
    console.log(`${info}; ${covered.toFixed(2)} of the viewer in ${colours} colours`);
    assert.equal(name, "3D model of turtle.webp");
    assert.ok(covered > 0.05 && covered < 0.9, `${covered} of the viewer`);
    assert.ok(colours > 500, `${colours} colours`);

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download GLB" }).click();
    const { box, faces } = measures(readFileSync(await (await downloading).path()));
    const numbers = info.match(/^(.+) × (.+) × (.+) \(.*\), (.+) faces$/)?.slice(1) ?? [];
    const [width, height, depth, count] = numbers.map((text) => Number(text.replaceAll(",", "")));
    for (const [axis, length] of [width, height, depth].entries()) {
      assert.ok(Math.abs(length - box[axis]) < 1e-3 * box[axis], `${info} is not ${box}`);
    }
    assert.equal(count, faces);
  });
});

test("updates the note and the snippets with the endpoint", () =>
  withPage(
    async (page) => {
      const note = page.locator("#endpoint-note");
      const javascript = page.locator("#javascript");
      const curl = page.locator("#curl");
      assert.equal(await page.getByLabel("Local server").isChecked(), true);
      assert.equal(await note.innerText(), `Sends your image to ${server}.`);
      assert.match(await curl.innerText(), /^curl 'http/m);

      // The same server by another name: another origin.
      await page.getByLabel("Another server").check();
      await page.getByLabel("API base URL").fill(`${otherOrigin}/`);
      assert.equal(await note.innerText(), `Sends your image to ${otherOrigin}.`);
      assert.ok((await javascript.innerText()).includes(`baseUrl: "${otherOrigin}"`));
      await choose(page, "cat");
      await create(page);
      const previousCode = await waitForStatus(page, "preview_done");
      assert.match((await inspectModel(page)).info, /faces$/);
      const session = JSON.parse((await page.locator("#json").textContent()) ?? "");
      assert.ok(session.preview_mesh_url_glb.startsWith(otherOrigin));

      await page.getByLabel("In this page").check();
      assert.equal(
        await note.innerText(),
        "Runs in this page as soon as you choose an image. Nothing is uploaded.",
      );
      assert.equal(await page.getByLabel("API key").isVisible(), false);
      assert.equal(await page.getByLabel("API base URL").isVisible(), false);
      assert.equal(await curl.innerText(), "# curl needs a server: select one under Endpoint.\n");
      assert.match(await javascript.innerText(), /createSandbox[^]*fetch: sandbox\.fetch/);
      /** @type {string[]} */
      const requested = [];
      page.on("request", (request) => requested.push(new URL(request.url()).pathname));
      await create(page);
      await page.waitForFunction(
        (code) => !document.getElementById("outcome")?.innerText.includes(code),
        previousCode ?? "",
      );
      await waitForStatus(page, "preview_done");
      assert.equal((await inspectModel(page)).name, "3D model of cat.webp");
      assert.deepEqual(
        requested.filter((path) => path.startsWith("/image-to-3d-sessions")),
        [],
      );
    },
    { draws: true, options: { reducedMotion: "reduce" } },
  ));

test("shows the create button on a phone without scrolling", () =>
  withPage(
    async (page) => {
      await page.getByLabel("Image", { exact: true }).setInputFiles("www/samples/turtle.webp");
      await page.getByText("turtle.webp, 3.5 kB").waitFor();
      const isReachable = await page.evaluate(() => {
        const button = document.getElementById("create");
        const { x, y, width, height } = button?.getBoundingClientRect() ?? new DOMRect();
        const topmost = document.elementFromPoint(x + width / 2, y + height / 2);
        return scrollY === 0 && topmost === button;
      });
      assert.ok(isReachable);
    },
    { options: { viewport: { width: 360, height: 640 } } },
  ));
