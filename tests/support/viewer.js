// Inspects what the viewer of the demo page shows.

/** @import { Page } from "playwright-core" */

/** The warning of <model-viewer> on a machine that takes long to draw the first frame. */
export const slowDrawing = /^rAF timed out in updateSource$/;

/** Drawing is slow on a busy machine without a graphics card. */
const timeout = 120_000;

/**
 * Waits until the page shows a model.
 *
 * @param {Pick<Page, "waitForFunction">} page
 */
export async function waitForModel(page) {
  const isShown = () => {
    const viewer = /** @type {any} */ (document.getElementById("viewer"));
    const info = document.getElementById("model-info")?.innerText ?? "";
    return viewer.loaded && viewer.modelIsVisible && info.endsWith("faces");
  };
  await page.waitForFunction(isShown, undefined, { timeout });
}

/**
 * Returns the angle by which the viewer has rotated the model.
 *
 * @param {Pick<Page, "evaluate">} page
 */
export const rotation = (page) =>
  page.evaluate(() => /** @type {any} */ (document.getElementById("viewer")).turntableRotation);

/**
 * Waits until the viewer rotates the model.
 *
 * @param {Pick<Page, "evaluate" | "waitForFunction">} page
 */
export async function waitForRotation(page) {
  const rotates = (/** @type {number} */ initial) =>
    /** @type {any} */ (document.getElementById("viewer")).turntableRotation !== initial;
  await page.waitForFunction(rotates, await rotation(page), { timeout });
}

/**
 * Waits until the page shows a model, turns the model's front to the viewer, and takes a screenshot.
 * Returns the share of the viewer that is not background (`covered`), the number of colours there,
 * and the texts about the model.
 *
 * @param {Pick<Page, "evaluate" | "waitForFunction" | "$">} page
 */
export async function inspectModel(page) {
  await waitForModel(page);
  await page.evaluate(async () => {
    const viewer = /** @type {any} */ (document.getElementById("viewer"));
    viewer.autoRotate = false;
    viewer.resetTurntableRotation();
    await viewer.updateComplete;
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  });
  const viewer = await page.$("#viewer");
  const screenshot = Buffer.from((await viewer?.screenshot({ timeout })) ?? "").toString("base64");
  return page.evaluate(async (screenshot) => {
    const bytes = Uint8Array.from(atob(screenshot), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes]));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    if (!context) throw new Error("no canvas");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const pixels = new Uint32Array(data.buffer);
    const background = pixels[20 * image.width + 20];
    const drawn = pixels.filter((pixel) => pixel !== background);
    return {
      covered: drawn.length / pixels.length,
      colours: new Set(drawn).size,
      name: /** @type {any} */ (document.getElementById("viewer")).alt,
      info: document.getElementById("model-info")?.innerText ?? "",
    };
  }, screenshot);
}

/**
 * Drops the sample `turtle.webp` on the page.
 *
 * @param {Page} page
 */
export async function dropTurtle(page) {
  const drop = await page.evaluateHandle(async () => {
    const data = new DataTransfer();
    const blob = await (await fetch("samples/turtle.webp")).blob();
    data.items.add(new File([blob], "turtle.webp", { type: "image/webp" }));
    return data;
  });
  await page.locator("#drop").dispatchEvent("drop", { dataTransfer: drop });
  await page.getByText("turtle.webp, 3.5 kB").waitFor();
}
