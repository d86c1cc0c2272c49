// What the demo page's viewer really shows.

/** @import { Page } from "playwright-core" */

/** What <model-viewer> prints on a machine that is slow to draw its first picture. */
export const slowDrawing = /^rAF timed out in updateSource$/;

/**
 * Waits until the page shows a model.
 *
 * @param {Pick<Page, "waitForFunction">} page
 */
export async function modelIsThere(page) {
  const there = () => {
    const viewer = /** @type {any} */ (document.getElementById("viewer"));
    const facts = document.getElementById("facts")?.innerText ?? "";
    return viewer.loaded && viewer.modelIsVisible && facts.endsWith("faces");
  };
  // It takes its time where there is no graphics card and the machine has much else to do.
  await page.waitForFunction(there, undefined, { timeout: 120_000 });
}

/**
 * Waits until the page shows a model, turns it to its front, and answers what the page says of it
 * and what is to be seen on the screen: the share of the viewer that is not background, and in how
 * many colours.
 *
 * @param {Pick<Page, "evaluate" | "waitForFunction" | "$">} page
 */
export async function shownModel(page) {
  await modelIsThere(page);
  await page.evaluate(async () => {
    const viewer = /** @type {any} */ (document.getElementById("viewer"));
    viewer.autoRotate = false;
    viewer.resetTurntableRotation();
    await viewer.updateComplete;
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  });
  const viewer = await page.$("#viewer");
  const screenshot = Buffer.from((await viewer?.screenshot()) ?? "").toString("base64");
  return page.evaluate(async (screenshot) => {
    const bytes = Uint8Array.from(atob(screenshot), (character) => character.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes]));
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    if (!context) throw new Error("no canvas");
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, picture.width, picture.height);
    const pixels = new Uint32Array(data.buffer);
    const ground = pixels[20 * picture.width + 20];
    const drawn = pixels.filter((pixel) => pixel !== ground);
    return {
      covered: drawn.length / pixels.length,
      colours: new Set(drawn).size,
      name: /** @type {any} */ (document.getElementById("viewer")).alt,
      facts: document.getElementById("facts")?.innerText ?? "",
    };
  }, screenshot);
}

/**
 * Drops a sample on the page.
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
