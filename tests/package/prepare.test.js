// The preparation of images before the upload, with the browsers' own decoders.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

import { createSession } from "../../pkg/index.js";
import { startChromium } from "../support/browsers.js";
import { startCspSite } from "../support/csp-site.js";
import { failure, image } from "../support/fake-api.js";
import { describeInBrowsers, describeInPages, openLibraryPage } from "../support/in-browsers.js";

/** @import { PrepareOptions } from "../../pkg/index.js" */

/** @param {string} name */
const fixture = (name) => readFileSync(`tests/fixtures/${name}`).toString("base64");

/**
 * Asserts that a pixel has about this color.
 *
 * @param {number[]} pixel
 * @param {number[]} expected
 */
function assertColor(pixel, expected) {
  const isClose = expected.every((channel, index) => Math.abs(channel - pixel[index]) <= 12);
  assert.ok(isClose, `${pixel} instead of ${expected}`);
}

const RED = [255, 0, 0, 255];
const BLUE = [0, 0, 255, 255];

describeInPages("prepare", (page) => {
  /**
   * Uploads a fixture.
   *
   * @param {string} name
   * @param {boolean | PrepareOptions} prepare
   */
  const uploadFixture = (name, prepare) =>
    page().evaluate(
      async ({ base64, prepare }) => {
        const file = await (await fetch(`data:application/octet-stream;base64,${base64}`)).blob();
        return helpers.uploads.upload(library, file, prepare);
      },
      { base64: fixture(name), prepare },
    );

  test("turns a photo upright and removes its metadata", async () => {
    const [sent, prepared] = await page().evaluate(async () => {
      const { photo, upload } = helpers.uploads;
      return [
        await upload(library, await photo(), false),
        await upload(library, await photo(), true),
      ];
    }, undefined);
    assert.deepEqual(sent.phases, ["encoding", "sending"]);
    assert.ok(sent.hasPlace, "the test's own photo has metadata");
    assert.deepEqual(prepared.phases, ["preparing", "encoding", "sending"]);
    assert.equal(prepared.type, "image/jpeg");
    assert.deepEqual([prepared.width, prepared.height], [20, 40]);
    assert.ok(!prepared.hasPlace);
    // The left side of the stored image is the top.
    assertColor(prepared.corners[0], RED);
    assertColor(prepared.corners[1], RED);
    assertColor(prepared.corners[2], BLUE);
  });

  test("converts colors to sRGB", async () => {
    const { thirds } = await uploadFixture("display-p3.jpg", { type: "image/png" });
    // Without a conversion the first is 202, 59, 43.
    assertColor(thirds[0], [220, 40, 28]);
    assertColor(thirds[1], [232, 210, 43]);
  });

  test("scales down to the longer edge, and keeps small images", async () => {
    const sizes = await page().evaluate(async () => {
      const { draw, upload } = helpers.uploads;
      /**
       * @param {number} width
       * @param {number} height
       * @param {boolean | PrepareOptions} options
       */
      const prepared = async (width, height, options) => {
        const image = await draw(width, height, "image/png", [["#080", 0, 0, width, height]]);
        const result = await upload(library, image, options);
        return [result.width, result.height];
      };
      return [
        await prepared(5000, 2500, true),
        await prepared(100, 3000, true),
        await prepared(3000, 2, { maxEdge: 100 }),
        await prepared(300, 200, { maxEdge: 1 }),
        await prepared(64, 32, true),
      ];
    }, undefined);
    assert.deepEqual(sizes, [
      [2048, 1024],
      [68, 2048],
      [100, 1],
      [1, 1],
      [64, 32],
    ]);
  });

  test("keeps fine details when it scales down", async () => {
    const { corners, thirds } = await page().evaluate(async () => {
      const { draw, upload } = helpers.uploads;
      // Lines of one pixel, which are grey from a distance.
      const lines = Array.from({ length: 800 }, (_, x) => [x % 2 ? "#fff" : "#000", x, 0, 1, 400]);
      const image = await draw(800, 400, "image/png", /** @type {any} */ (lines));
      return upload(library, image, { maxEdge: 100, type: "image/png" });
    }, undefined);
    for (const pixel of [...corners, ...thirds]) {
      assert.ok(pixel[0] > 90 && pixel[0] < 200, String(pixel));
    }
  });

  test("keeps transparency, unless JPEG is requested", async () => {
    const [kept, jpeg, png] = await page().evaluate(async () => {
      const { draw, upload } = helpers.uploads;
      const image = await draw(40, 40, "image/png", [["#f00", 0, 0, 20, 40]]);
      return [
        await upload(library, image, true),
        await upload(library, image, { type: "image/jpeg" }),
        await upload(library, image, { type: "image/png" }),
      ];
    }, undefined);
    // The image is so small that PNG is smaller.
    assert.match(kept.type, /^image\/(webp|png)$/);
    assert.equal(kept.corners[1][3], 0);
    assert.equal(jpeg.type, "image/jpeg");
    assertColor(jpeg.corners[1], [255, 255, 255, 255]);
    assertColor(jpeg.corners[0], RED);
    assert.equal(png.type, "image/png");
    assert.equal(png.corners[1][3], 0);
  });

  test("encodes with the requested quality, also from a buffer", async () => {
    const [low, high] = await page().evaluate(async () => {
      const { upload } = helpers.uploads;
      const buffer = await helpers.image.arrayBuffer();
      return [
        await upload(library, buffer, { type: "image/jpeg", quality: 0.2 }),
        await upload(library, buffer, { type: "image/jpeg", quality: 0.95 }),
      ];
    }, undefined);
    assert.ok(low.size < high.size / 2, `${low.size}, ${high.size}`);
  });

  test("uploads a format that only the browser decodes", async () => {
    const { type, width } = await uploadFixture("image.avif", true);
    assert.match(type, /^image\/(jpeg|png)$/);
    assert.ok(width > 1);
  });

  test("sends an SVG unchanged, because browsers do not decode it here", async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>';
    const { url, phases } = await page().evaluate(async (svg) => {
      /** @type {string[]} */
      const phases = [];
      let url = "";
      await library.createSession({
        image: new Blob([svg], { type: "image/svg+xml" }),
        prepare: true,
        onProgress: ({ phase }) => phases.at(-1) === phase || phases.push(phase),
        fetch: async (_, { body }) => {
          ({ image_url: url } = await new Response(body).json());
          return Response.json({ data: { session_code: "SESSION_1_1", status: "queued" } });
        },
      });
      return { url, phases };
    }, svg);
    assert.equal(url, `data:image/svg+xml;base64,${btoa(svg)}`);
    assert.deepEqual(phases, ["preparing", "encoding", "sending"]);
  });

  test("rejects images that cannot be prepared, before sending, with a code for each reason", async () => {
    const errors = await page().evaluate(
      async ({ heic, text }) => {
        const decode = async (/** @type {string} */ base64) =>
          (await fetch(`data:application/octet-stream;base64,${base64}`)).blob();
        const unreadable = await decode(heic);
        const fail = () => Promise.reject(new DOMException("changed", "NotReadableError"));
        for (const method of ["arrayBuffer", "stream", "slice"]) {
          Object.defineProperty(unreadable, method, {
            value: method === "slice" ? () => unreadable : fail,
          });
        }
        const fetchNothing = async () => new Response();
        const results = [];
        for (const image of [await decode(heic), await decode(text), new Blob(), unreadable]) {
          const options = { image, prepare: true, fetch: fetchNothing };
          const error = await library.createSession(options).catch((error) => error);
          results.push([
            error.kind,
            error.code,
            error.sent,
            error.message.replace(/\(.*\)/, "(…)"),
          ]);
        }
        return results;
      },
      { heic: fixture("image.heic"), text: fixture("README.md") },
    );
    const kind = "unsupported_image";
    const undecodable = "this browser cannot decode the file (…). Convert it to JPEG, PNG or WebP.";
    const unrecognized =
      "unrecognized image format (…). Supported: PNG, JPEG, WebP, GIF, BMP, TIFF, SVG, AVIF";
    assert.deepEqual(errors.slice(0, 3), [
      [kind, "undecodable_image", "no", `image: ${undecodable}`],
      [kind, "unsupported_image", "no", `image: ${unrecognized}`],
      [kind, "empty_image", "no", "image: the file is empty"],
    ]);
    assert.deepEqual(errors[3].slice(0, 3), [kind, "unreadable_image", "no"]);
  });

  test("encodes drawings as PNG if anything else would be larger", async () => {
    const result = await page().evaluate(async () => {
      const { draw, upload } = helpers.uploads;
      const lines = Array.from({ length: 40 }, (_, line) => ["#000", 0, line * 20, 1600, 1]);
      const white = ["#fff", 0, 0, 1600, 800];
      const image = await draw(1600, 800, "image/png", /** @type {any} */ ([white, ...lines]));
      return { before: image.size, ...(await upload(library, image, true)) };
    }, undefined);
    assert.equal(result.type, "image/png");
    assert.ok(result.size < 2 * result.before, `${result.before}, ${result.size}`);
  });

  test("rejects invalid options before it loads anything", async () => {
    const messages = await page().evaluate(async () => {
      const { image } = helpers;
      const url = "https://pictures.example/a.png";
      const results = [];
      for (const options of /** @type {any[]} */ ([
        { image, prepare: "yes" },
        { image, prepare: { maxEdge: 0 } },
        { image, prepare: { maxEdge: 100.5 } },
        { image, prepare: { quality: 90 } },
        { image, prepare: { type: "image/gif" } },
        { image, prepare: { maxedge: 5 } },
        {
          image,
          prepare: {
            get maxEdge() {
              throw new Error("trap");
            },
          },
        },
        { image_url: url, prepare: true },
      ])) {
        const error = await library.createSession({ baseUrl: "/", ...options }).catch((e) => e);
        results.push(`${error.kind}: ${error.message}`);
      }
      return results;
    }, undefined);
    assert.deepEqual(messages, [
      'invalid_options: Invalid prepare "yes": expected true, false or an object with maxEdge, type and quality',
      "invalid_options: Invalid prepare.maxEdge 0: expected an integer from 1 to 8192",
      "invalid_options: Invalid prepare.maxEdge 100.5: expected an integer from 1 to 8192",
      "invalid_options: Invalid prepare.quality 90: expected a number from 0 to 1",
      'invalid_options: Invalid prepare.type "image/gif": expected "image/jpeg", "image/png" or "image/webp"',
      'invalid_options: Unknown option "maxedge". Expected "maxEdge", "type" or "quality".',
      "invalid_options: Reading the options of prepare threw: Error: trap",
      "invalid_options: prepare requires image: an image_url is sent unchanged",
    ]);
  });

  test("an abort ends the preparation and its worker", async () => {
    const result = await page().evaluate(async () => {
      const { Worker } = globalThis;
      const counts = { started: 0, terminated: 0, requests: 0, unhandled: 0 };
      addEventListener("unhandledrejection", () => counts.unhandled++);
      /** @type {AbortController} */
      let controller;
      globalThis.Worker = class extends Worker {
        /** @param {string | URL} url @param {WorkerOptions} [options] */
        constructor(url, options) {
          super(url, options);
          counts.started++;
          controller.abort("while it runs");
        }
        terminate() {
          counts.terminated++;
          super.terminate();
        }
      };
      const image = await helpers.uploads.draw(4000, 4000, "image/png", []);
      const prepare = (/** @type {(controller: AbortController) => void} */ onProgress) => {
        controller = new AbortController();
        const call = library.createSession({
          image,
          prepare: true,
          signal: controller.signal,
          onProgress: () => onProgress(controller),
          fetch: async () => {
            counts.requests++;
            return new Response();
          },
        });
        return call.catch((reason) => reason);
      };
      const reasons = [
        await prepare(() => {}),
        await prepare((controller) => controller.abort("before it runs")),
      ];
      globalThis.Worker = Worker;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { reasons, ...counts };
    }, undefined);
    assert.deepEqual(result, {
      reasons: ["while it runs", "before it runs"],
      started: 1,
      terminated: 1,
      requests: 0,
      unhandled: 0,
    });
  });
});

describeInBrowsers("prepare under a content security policy", (browser) => {
  /** @type {Awaited<ReturnType<typeof startCspSite>>} */
  let site;
  before(async () => {
    site = await startCspSite();
  });
  after(() => site.close());

  for (const workers of ["'self' blob:", "'none'"]) {
    test(`works under worker-src ${workers}`, () =>
      site.withPage(browser(), workers, async (page) => {
        const types = await page.evaluate(async () => {
          const { image } = sandboxHelpers;
          /** @type {string[]} */
          const types = [];
          for (let call = 0; call < 2; call++) {
            await library.createSession({
              image,
              prepare: { type: "image/png" },
              fetch: async (_, { body }) => {
                const { image_url } = await new Response(body).json();
                types.push(image_url.split(";")[0]);
                return Response.json({ data: { session_code: "SESSION_1_1", status: "queued" } });
              },
            });
          }
          return types;
        });
        assert.deepEqual(types, ["data:image/png", "data:image/png"]);
      }));
  }
});

test("rejects with an error of the library if its module cannot be loaded", async () => {
  const browser = await startChromium();
  try {
    const context = await browser.newContext();
    await context.route("**/wasm/prepare.js", (route) => route.abort());
    const page = await openLibraryPage(/** @type {any} */ (context));
    const error = await page.evaluate(async () => {
      const options = { image: helpers.image, prepare: true, baseUrl: "/" };
      const { kind, code, sent, message } = await library.createSession(options).catch((e) => e);
      return { kind, code, sent, message: message.split(":")[0] };
    }, undefined);
    assert.deepEqual(error, {
      kind: "internal",
      code: "internal",
      sent: "no",
      message: "Could not load the module that prepares images",
    });
  } finally {
    await browser.close();
  }
});

test("rejects images whose pixels the browser hides from pages", async () => {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX,
    headless: true,
    extraPrefsFirefox: { "privacy.resistFingerprinting": true },
  });
  try {
    const page = await openLibraryPage(/** @type {any} */ (browser));
    const message = await page.evaluate(async () => {
      const options = { image: helpers.image, prepare: true, baseUrl: "/" };
      const error = await library.createSession(options).catch((error) => error);
      return `${error.code}: ${error.message}`;
    }, undefined);
    assert.match(message, /^undecodable_image: .*privacy protection/);
  } finally {
    await browser.close();
  }
});

test("is rejected where there is no canvas, before anything is sent", async () => {
  const fetch = () => assert.fail("sent");
  const error = await failure(createSession({ image, prepare: true, fetch }));
  assert.equal(error.kind, "invalid_options");
  assert.match(error.message, /^prepare requires a browser with OffscreenCanvas/);
});
