// Takes the screenshots of the demo page for the README:
//
//   SERVER=http://127.0.0.1:8787 CHROMIUM=/usr/bin/chromium node tests/support/screenshots.js
//
// SERVER is any server that serves `dist/`, such as `cargo xtask demo`.

import { server, startChromium } from "./browsers.js";
import { waitForModel } from "./viewer.js";

const browser = await startChromium({ draws: true });
for (const sample of ["coffee", "astronaut", "rocket", "turtle"]) {
  for (const [layout, viewport] of /** @type {const} */ ([
    ["wide", { width: 1280, height: 860 }],
    ["narrow", { width: 390, height: 844 }],
  ])) {
    const page = await browser.newPage({ viewport, reducedMotion: "reduce" });
    await page.goto(server);
    await page.getByLabel("In this page").check();
    await page.getByRole("button", { name: `Sample ${sample}` }).click();
    await waitForModel(page);
    await page.evaluate(async () => {
      const viewer = /** @type {any} */ (document.getElementById("viewer"));
      viewer.cameraOrbit = "-25deg 80deg 105%";
      viewer.jumpCameraToGoal();
      await viewer.updateComplete;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      scrollTo(0, 0);
    });
    // The viewer's progress bar fades out.
    await page.waitForTimeout(1500);
    await page.screenshot({ path: `docs/images/${sample}-${layout}.png` });
    await page.close();
  }
}
await browser.close();
