// Takes the README's pictures of the demo page, with the static build in `dist/`:
//
//   SERVER=http://127.0.0.1:8787 CHROMIUM=/usr/bin/chromium node tests/support/screenshots.js
//
// where any server of static files serves `dist/`, the one of `cargo xtask demo` too.

import { server, startChromium } from "./browsers.js";
import { modelIsThere } from "./shown.js";

const browser = await startChromium({ draws: true });
for (const sample of ["turtle", "cat", "rocket", "chelsea"]) {
  for (const [layout, viewport] of /** @type {const} */ ([
    ["wide", { width: 1280, height: 860 }],
    ["narrow", { width: 390, height: 844 }],
  ])) {
    const page = await browser.newPage({ viewport, reducedMotion: "reduce" });
    await page.goto(server);
    await page.getByLabel("In this page").check();
    await page.getByRole("button", { name: `Sample ${sample}` }).click();
    await modelIsThere(page);
    await page.evaluate(async () => {
      const viewer = /** @type {any} */ (document.getElementById("viewer"));
      viewer.cameraOrbit = "-40deg 78deg 105%";
      viewer.jumpCameraToGoal();
      await viewer.updateComplete;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      scrollTo(0, 0);
    });
    // Its progress bar fades.
    await page.waitForTimeout(1500);
    await page.screenshot({ path: `docs/images/${sample}-${layout}.png` });
    await page.close();
  }
}
await browser.close();
