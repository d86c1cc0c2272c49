// Makes the images at the top of the README: a photo, and its model that turns around once.
//
//   SERVER=http://127.0.0.1:8787 CHROMIUM=/usr/bin/chromium node tests/support/turning-model.js
//
// SERVER is any server that serves `dist/`, such as `cargo xtask demo`.

import { readFileSync } from "node:fs";

import sharp from "sharp";

import { imageTo3d } from "../../pkg/index.js";
import { server, startChromium } from "./browsers.js";

const PHOTO = "www/samples/astronaut.jpg";
const SIZE = 360;
const FRAMES = 60;
const SECONDS = 6;

const bytes = readFileSync(PHOTO);
const image = new Blob([bytes], { type: "image/jpeg" });
const session = await imageTo3d({ image, baseUrl: server, generate_texture: true });

const browser = await startChromium({ draws: true });
const page = await browser.newPage({ viewport: { width: SIZE, height: SIZE } });
const address = `${server}/turning.html`;
await page.route(address, (route) =>
  route.fulfill({
    contentType: "text/html",
    body: `<!doctype html>
      <script type="module" src="/model-viewer/model-viewer.min.js"></script>
      <body style="margin: 0">
      <model-viewer
        src="${session.preview_mesh_url_glb}"
        shadow-intensity="0.6"
        style="width: 100vw; height: 100vh; background: none"
      ></model-viewer>`,
  }),
);
await page.goto(address);
await page.waitForFunction(() => {
  const viewer = /** @type {any} */ (document.querySelector("model-viewer"));
  return viewer.loaded && viewer.modelIsVisible;
});

const frames = [];
for (let frame = 0; frame < FRAMES; frame++) {
  await page.evaluate(
    async (angle) => {
      const viewer = /** @type {any} */ (document.querySelector("model-viewer"));
      viewer.cameraOrbit = `${angle}deg 80deg 95%`;
      viewer.jumpCameraToGoal();
      await viewer.updateComplete;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    },
    (360 * frame) / FRAMES,
  );
  frames.push(await page.screenshot({ omitBackground: true }));
}
await browser.close();

await sharp(frames, { join: { animated: true } })
  .webp({ quality: 60, alphaQuality: 80, effort: 6, delay: (1000 * SECONDS) / FRAMES, loop: 0 })
  .toFile("docs/images/photo-model.webp");
await sharp(bytes).resize(SIZE, SIZE).webp({ quality: 80 }).toFile("docs/images/photo.webp");
