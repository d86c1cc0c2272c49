// The demo page, used as a person uses it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { otherOrigin, server, startChromium } from "../support/browsers.js";
import { holdSessions } from "../support/hold-sessions.js";
import { canary } from "../support/keys.js";
import { dropTurtle, inspectModel, slowDrawing, waitForModel } from "../support/viewer.js";

/** @import { Browser, Page } from "playwright-core" */

/** @type {Browser} */
let browser;
/** @type {Browser} */
let drawing;
before(async () => {
  browser = await startChromium();
  drawing = await startChromium({ draws: true });
});
after(() => Promise.all([browser.close(), drawing.close()]));

/**
 * Opens the page; whatever it prints fails the test, unless it is expected, and so does a request
 * to another origin than those of the server.
 *
 * @param {(page: Page) => Promise<void>} visit
 * @param {object} [settings]
 * @param {RegExp} [settings.expected]
 * @param {boolean} [settings.draws] whether the browser can draw the model
 * @param {import("playwright-core").BrowserContextOptions} [settings.options]
 */
async function withPage(visit, { expected, draws = false, options } = {}) {
  const page = await (draws ? drawing : browser).newPage(options);
  /** @type {string[]} */
  const printed = [];
  page.on("console", (message) => printed.push(message.text()));
  page.on("pageerror", (error) => printed.push(String(error)));
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== server && origin !== otherOrigin && !request.url().startsWith("data:")) {
      printed.push(`asked for ${request.url()}`);
    }
  });
  try {
    await page.goto(server);
    await visit(page);
  } finally {
    await page.close();
  }
  console.log(printed.join("\n"));
  assert.deepEqual(
    printed.filter((text) => !expected?.test(text) && !slowDrawing.test(text)),
    [],
  );
}

/** The page's own status: its viewer has one too. */
const status = (/** @type {Page} */ page) => page.getByRole("status").and(page.locator("#outcome"));
/**
 * Chooses a sample, and waits until it is there.
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

for (const name of ["turtle.webp", "cat.webp", "mushroom.webp", "rocket.jpg", "chelsea.png"]) {
  test(`${name} becomes a session`, () =>
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

test("a dropped picture becomes a session", () =>
  withPage(async (page) => {
    await dropTurtle(page);
    await create(page);
    await status(page)
      .getByText(/SESSION_\d+_\d+/)
      .waitFor();
  }));

test("a sample is chosen and sent by keyboard alone, on a phone", () =>
  withPage(
    async (page) => {
      const reach = async (/** @type {string} */ name) => {
        for (let presses = 0; presses < 60; presses++) {
          await page.keyboard.press("Tab");
          const label = await page.evaluate(
            () =>
              document.activeElement?.getAttribute("aria-label") ??
              document.activeElement?.textContent?.trim(),
          );
          if (label === name) return page.keyboard.press("Enter");
        }
        assert.fail(`${name} is not reached by Tab`);
      };
      await reach("Sample cat");
      await page.getByText("cat.webp, 5.06 kB").waitFor();
      await reach("Create session");
      await status(page)
        .getByText(/SESSION_\d+_\d+/)
        .waitFor();
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
    },
    { options: { viewport: { width: 360, height: 740 } } },
  ));

test("every parameter of the form reaches the server, and the code shown says the same", () =>
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
    await page.getByLabel("Refine by itself").check();
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
 * Waits until the status says a word, and answers the session's code in it.
 *
 * @param {Page} page
 * @param {string} word
 */
async function reaches(page, word) {
  await status(page).getByText(word).waitFor();
  return (await status(page).innerText()).match(/SESSION_\d+_\d+/)?.[0];
}

test("a picture becomes a preview, then a refined model, and that a file", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await create(page);
    const code = await reaches(page, "preview_done");
    await page.getByRole("button", { name: "Refine", exact: true }).click();
    assert.equal(await reaches(page, "refine_done"), code);
    const stages = page.getByRole("list", { name: "Stages" }).getByRole("listitem");
    for (const [index, label] of ["Views", "Preview", "Refinement"].entries()) {
      assert.match(await stages.nth(index).innerText(), new RegExp(`^${label} (< )?\\d+\\.\\d s$`));
    }
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download GLB" }).click();
    const download = await coming;
    assert.equal(download.suggestedFilename(), `${code}.glb`);
    assert.equal(
      readFileSync(await download.path())
        .subarray(0, 4)
        .toString(),
      "glTF",
    );
    assert.equal(await reaches(page, "downloaded"), code);
  }));

test("a view is chosen, and the model made from it", () =>
  withPage(async (page) => {
    await choose(page, "cat");
    await page.getByLabel("Preview").selectOption("turbo");
    await page.getByLabel("Texture", { exact: true }).uncheck();
    await create(page);
    const code = await reaches(page, "spin_generate_done");
    await page.getByRole("button", { name: "Make the model from view 3" }).click();
    assert.equal(await reaches(page, "preview_done"), code);
  }));

/** A status of no era of the API. */
const unknown = { status: "warming_up", session_status: "pondering" };

test("a reload takes a wait up again, and loses no session", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await page.getByLabel("API key").fill(canary);
    const resume = await holdSessions(page, unknown);
    await create(page);
    const code = await reaches(page, "warming_up");
    await page.reload();
    await reaches(page, "warming_up");
    await resume();
    assert.equal(await reaches(page, "preview_done"), code);
    await page.reload();
    await page.getByRole("button", { name: code }).click();
    assert.equal(await reaches(page, "preview_done"), code);
    assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(canary));
  }));

test("a wait is cancelled, and taken up again from the list", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    const resume = await holdSessions(page, unknown);
    await create(page);
    const code = await reaches(page, "warming_up");
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await reaches(page, "no longer followed"), code);
    await resume();
    await page.getByRole("button", { name: code }).click();
    assert.equal(await reaches(page, "preview_done"), code);
  }));

test("a download in the middle of a wait does not end it for good", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    const resume = await holdSessions(page, unknown);
    await create(page);
    const code = await reaches(page, "warming_up");
    await page.getByRole("button", { name: "Download GLB" }).click();
    assert.equal(await reaches(page, "downloaded"), code);
    await resume();
    await page.reload();
    assert.equal(await reaches(page, "preview_done"), code);
  }));

test("a session that failed is told with its code", () =>
  withPage(async (page) => {
    await choose(page, "turtle");
    await page.getByLabel("API key").fill(`fault_preview-failed_${canary}`);
    await create(page);
    assert.match((await reaches(page, "preview_failed")) ?? "", /^SESSION_/);
    assert.equal(await page.getByRole("button", { name: "Create session" }).isEnabled(), true);
  }));

test("errors are told in words, and the key shows nowhere", () =>
  withPage(
    async (page) => {
      await create(page);
      await status(page).getByText("Choose a picture first").waitFor();

      await page.getByLabel("Image", { exact: true }).setInputFiles("package.json");
      await create(page);
      await status(page).getByText("no picture that is known").waitFor();

      await choose(page, "turtle");
      const key = `fault_echo-json_${canary}`;
      await page.getByLabel("API key").fill(key);
      await create(page);
      await status(page).getByText("Invalid API key").waitFor();
      assert.ok(!(await page.innerText("body")).includes(key));

      await page.getByLabel("Another address").check();
      await page.getByLabel("Address of the API").fill("http://127.0.0.1:20113");
      await create(page);
      await status(page).getByText("No answer from http://127.0.0.1:20113").waitFor();
    },
    { expected: /Failed to load resource|asked for http:\/\/127\.0\.0\.1:20113\// },
  ));

/**
 * What a GLB of one mesh holds: read here from its bytes, since it is what the page says of it that
 * is tested.
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

test("the model is shown, and what is said of it is true", () =>
  withPage(
    async (page) => {
      await choose(page, "mushroom");
      await create(page);
      const { covered, colours, name, facts } = await inspectModel(page);
      console.log(`${facts}; ${covered.toFixed(2)} of the viewer in ${colours} colours`);
      assert.equal(name, "3D model of mushroom.webp");
      assert.ok(covered > 0.05 && covered < 0.9, `${covered} of the viewer`);
      assert.ok(colours > 500, `${colours} colours`);

      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download GLB" }).click();
      const { box, faces } = measures(readFileSync(await (await coming).path()));
      const told = facts.match(/^(.+) × (.+) × (.+) \(.*\), (.+) faces$/)?.slice(1) ?? [];
      const [width, height, depth, count] = told.map((text) => Number(text.replaceAll(",", "")));
      for (const [axis, length] of [width, height, depth].entries()) {
        assert.ok(Math.abs(length - box[axis]) < 1e-3 * box[axis], `${facts} is not ${box}`);
      }
      assert.equal(count, faces);
    },
    { draws: true },
  ));

for (const reducedMotion of /** @type {const} */ (["no-preference", "reduce"])) {
  test(`the model turns by itself, unless that is unwanted: ${reducedMotion}`, () =>
    withPage(
      async (page) => {
        await choose(page, "turtle");
        await create(page);
        await waitForModel(page);
        const angle = () =>
          page.evaluate(
            () => /** @type {any} */ (document.getElementById("viewer")).turntableRotation,
          );
        const before = await angle();
        const until = Date.now() + (reducedMotion === "reduce" ? 5_000 : 60_000);
        // It begins after a few seconds, and later on a machine that is slow to draw.
        while (Date.now() < until && (await angle()) === before) {
          await page.waitForTimeout(100);
        }
        assert.equal((await angle()) !== before, reducedMotion === "no-preference");
      },
      { draws: true, options: { reducedMotion } },
    ));
}

test("the endpoint is switched, said in words, and in the code", () =>
  withPage(
    async (page) => {
      const where = page.locator("#where");
      const javascript = page.locator("#javascript");
      const curl = page.locator("#curl");
      assert.equal(await page.getByLabel("This machine's server").isChecked(), true);
      assert.equal(await where.innerText(), `Made by ${server}.`);
      assert.match(await curl.innerText(), /^curl 'http/m);

      // The server under its other name is another origin.
      await page.getByLabel("Another address").check();
      await page.getByLabel("Address of the API").fill(`${otherOrigin}/`);
      assert.equal(await where.innerText(), `Made by ${otherOrigin}.`);
      assert.ok((await javascript.innerText()).includes(`baseUrl: "${otherOrigin}"`));
      await choose(page, "cat");
      await create(page);
      const elsewhereCode = await reaches(page, "preview_done");
      assert.match((await inspectModel(page)).facts, /faces$/);
      const session = JSON.parse((await page.locator("#json").textContent()) ?? "");
      assert.ok(session.preview_mesh_url_glb.startsWith(otherOrigin));

      await page.getByLabel("In this page").check();
      assert.match(await where.innerText(), /^Made in this page.*nothing leaves the page/);
      assert.equal(await page.getByLabel("API key").isVisible(), false);
      assert.equal(await page.getByLabel("Address of the API").isVisible(), false);
      assert.match(await curl.innerText(), /needs a server/);
      assert.match(await javascript.innerText(), /createSandbox[^]*fetch: sandbox\.fetch/);
      /** @type {string[]} */
      const asked = [];
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      await create(page);
      await page.waitForFunction(
        (code) => !document.getElementById("outcome")?.innerText.includes(code),
        elsewhereCode ?? "",
      );
      await reaches(page, "preview_done");
      assert.equal((await inspectModel(page)).name, "3D model of cat.webp");
      assert.deepEqual(
        asked.filter((path) => path.startsWith("/image-to-3d-sessions")),
        [],
      );
    },
    { draws: true },
  ));

test("on a phone a session is created without scrolling, once there is a picture", () =>
  withPage(
    async (page) => {
      await page.getByLabel("Image", { exact: true }).setInputFiles("www/samples/turtle.webp");
      await page.getByText("turtle.webp, 3.5 kB").waitFor();
      const reached = await page.evaluate(() => {
        const button = document.getElementById("create");
        const { x, y, width, height } = button?.getBoundingClientRect() ?? new DOMRect();
        const met = document.elementFromPoint(x + width / 2, y + height / 2);
        return scrollY === 0 && met === button;
      });
      assert.ok(reached);
    },
    { options: { viewport: { width: 360, height: 640 } } },
  ));
