// The colors of models from files of all formats, in the server and in the sandbox, compared with what
// Chromium shows.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { createSession, downloadModel, imageTo3d } from "../../pkg/index.js";
import { createSandbox } from "../../pkg/sandbox.js";
import { startChromium } from "../support/browsers.js";
import { failure } from "../support/fake-api.js";
import { frontColors } from "../support/model-colors.js";
import { makePictureFiles } from "../support/picture-files.js";
import { startServer } from "../support/server.js";

/** @import { Browser, Page } from "playwright-core" */
/** @import { PictureFile } from "../support/picture-files.js" */

/** The largest difference of a channel. */
const TOLERANCE = 4;

/**
 * The patch of the stored image that is at each place of the upright one, by EXIF orientation, for an
 * image of nine patches.
 *
 * @type {Record<number, number[]>}
 */
const UPRIGHT = {
  2: [2, 1, 0, 5, 4, 3, 8, 7, 6],
  3: [8, 7, 6, 5, 4, 3, 2, 1, 0],
  4: [6, 7, 8, 3, 4, 5, 0, 1, 2],
  5: [0, 3, 6, 1, 4, 7, 2, 5, 8],
  6: [6, 3, 0, 7, 4, 1, 8, 5, 2],
  7: [8, 5, 2, 7, 4, 1, 6, 3, 0],
  8: [2, 5, 8, 1, 4, 7, 0, 3, 6],
};

/**
 * Files that are refused, with the message behind the name of the option.
 *
 * @type {Record<string, [file: string | Buffer, message: string]>}
 */
const REFUSED = {
  "a HEIC photo": [
    "tests/fixtures/pictures/photo.heic",
    "this server does not read HEIC. Convert it to JPEG, or use `prepare` in Safari.",
  ],
  "a JPEG file without its end": [
    "tests/fixtures/pictures/trunc60.jpg",
    "the JPEG file ends early: its upload or download broke off",
  ],
  "a TIFF file with tiles of one color": [
    "tests/fixtures/tiled-planar.tif",
    "this server does not read this kind of TIFF file. Save it as PNG or JPEG.",
  ],
  "a WebP animation with a damaged frame": [
    "tests/fixtures/zero-width-frame.webp",
    "the WebP file cannot be decoded: a frame has a wrong size",
  ],
  "an SVG file with text": [
    Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>a</text></svg>',
    ),
    "the SVG file cannot be read: its text needs a font. Convert the text to paths.",
  ],
};

/** @typedef {(number[] | undefined)[]} Patches colors, or `undefined` for a hole */

describe("pictures", () => {
  /** @type {Browser} */
  let browser;
  /** @type {Page} */
  let page;
  /** @type {string} */
  let server;
  /** @type {PictureFile[]} */
  let files;
  before(async () => {
    browser = await startChromium();
    page = await browser.newPage();
    ({ address: server } = await startServer(["--speed", "1000"]));
    files = await makePictureFiles();
  });
  after(() => browser.close());

  /**
   * Returns the colors that Chromium shows.
   *
   * @param {PictureFile} file
   * @returns {Promise<Patches>}
   */
  async function shownColors({ bytes, type, points, twin }) {
    const shown = twin ?? { bytes, type, orientation: 1 };
    const url = `data:${shown.type};base64,${shown.bytes.toString("base64")}`;
    const colors = await page.evaluate(
      async ({ url, points }) => {
        const image = new Image();
        image.src = url;
        await image.decode();
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.drawImage(image, 0, 0);
        return points.map(([x, y]) => {
          const { data } = context.getImageData(x * canvas.width, y * canvas.height, 1, 1);
          return data[3] < 128 ? undefined : [...data.subarray(0, 3)];
        });
      },
      { url, points },
    );
    return shown.orientation === 1
      ? colors
      : UPRIGHT[shown.orientation].map((patch) => colors[patch]);
  }

  /**
   * Returns the colors of a model.
   *
   * @param {PictureFile} file
   * @param {import("../../pkg/index.js").ConnectionOptions} connection
   * @returns {Promise<Patches>}
   */
  async function modelColors({ bytes, points }, connection) {
    const session = await imageTo3d({
      image: new Uint8Array(bytes),
      generate_texture: true,
      resolution: "low_poly",
      extra: { cutout: "keep", generate_preview_mesh: true },
      interval: 20,
      ...connection,
    });
    const model = await downloadModel(session, connection);
    return frontColors(Buffer.from(await model.arrayBuffer()), points);
  }

  /**
   * Returns what is wrong with the colors of models.
   *
   * @param {import("../../pkg/index.js").ConnectionOptions} connection
   * @param {(file: PictureFile) => boolean} isRead
   */
  async function findFaults(connection, isRead) {
    /** @type {string[]} */
    const faults = [];
    for (const file of files.filter(isRead)) {
      const expected = await shownColors(file);
      const actual = await modelColors(file, connection).catch((error) => error);
      if (!(actual instanceof Array)) {
        const isExpected = file.refusal && actual.message.includes(file.refusal);
        if (!isExpected) faults.push(`${file.name}: ${actual.message}`);
        continue;
      }
      if (file.refusal) faults.push(`${file.name}: not refused`);
      const differing = expected.filter(
        (color, patch) => !isClose(color, actual[patch], file.tolerance ?? TOLERANCE),
      );
      if (differing.length > 0) {
        const show = (/** @type {Patches} */ patches) => patches.map((it) => `(${it ?? "-"})`);
        faults.push(`${file.name}: ${show(actual).join(" ")} for ${show(expected).join(" ")}`);
      }
    }
    return faults;
  }

  test("there are at least 150 files", () => {
    assert.ok(files.length >= 150, `${files.length}`);
  });

  test("the server's models have the colors that Chromium shows", async () => {
    assertNone(await findFaults({ baseUrl: server }, () => true));
  });

  test("the server and the sandbox refuse other files in the same words", async () => {
    const { fetch, reset } = createSandbox();
    for (const [name, [file, message]] of Object.entries(REFUSED)) {
      const image = new Uint8Array(typeof file === "string" ? readFileSync(file) : file);
      for (const connection of [{ baseUrl: server }, { fetch }]) {
        const error = await failure(createSession({ image, ...connection }));
        assert.deepEqual(
          [error.code, error.message],
          ["unsupported_image", `image: ${message} (HTTP 400)`],
          name,
        );
      }
    }
    await reset();
  });

  test("the sandbox's models have the colors that Chromium shows", async () => {
    const { fetch, reset } = createSandbox({ speed: 1000 });
    const isRead = (/** @type {PictureFile} */ { type }) => type !== "image/avif";
    assertNone(await findFaults({ fetch }, isRead));
    await reset();
  });
});

/** @param {string[]} faults */
function assertNone(faults) {
  assert.ok(faults.length === 0, `${faults.length} files:\n${faults.join("\n")}`);
}

/**
 * @param {number[] | undefined} one
 * @param {number[] | undefined} other
 * @param {number} tolerance
 */
function isClose(one, other, tolerance) {
  if (!one || !other) return one === other;
  return one.every((channel, index) => Math.abs(channel - other[index]) <= tolerance);
}
