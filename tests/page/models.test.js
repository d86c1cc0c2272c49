// The models that the native tests wrote, in the Khronos validator and in three.js.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

// @ts-expect-error it has no types
import { validateBytes } from "gltf-validator";

import { startChromium } from "../support/browsers.js";

/** @import { Browser, Page } from "playwright-core" */
/** @import { AddressInfo } from "node:net" */

const folder = "target/models";
const models = readdirSync(folder).filter((name) => name.endsWith(".glb"));

test("has models of the samples and of hostile images", () => {
  assert.ok(models.length >= 30, `${models.length} models`);
  for (const name of ["turtle", "cat", "mushroom", "rocket", "chelsea"]) {
    assert.ok(models.includes(`${name}-preview.glb`) && models.includes(`${name}-refined.glb`));
  }
  assert.equal(models.filter((name) => name.endsWith("-photo.glb")).length, 5);
});

test("passes the Khronos validator", async () => {
  for (const name of models) {
    const { issues } = await validateBytes(readFileSync(`${folder}/${name}`), { maxIssues: 5 });
    const { numErrors, numWarnings } = issues;
    assert.deepEqual(
      { numErrors, numWarnings },
      { numErrors: 0, numWarnings: 0 },
      `${name}: ${JSON.stringify(issues.messages)}`,
    );
  }
  console.log(`${models.length} models: 0 errors, 0 warnings`);
});

/**
 * Media types by file extension.
 *
 * @type {Record<string, string>}
 */
const mediaTypes = {
  js: "text/javascript",
  html: "text/html",
  webp: "image/webp",
  jpg: "image/jpeg",
  png: "image/png",
};

const page = `<!doctype html>
<script type="importmap">{"imports":{"three":"/node_modules/three/build/three.module.js"}}</script>
<script type="module">
  import * as three from "three";
  import { ThreeMFLoader } from "/node_modules/three/examples/jsm/loaders/3MFLoader.js";
  import { GLTFLoader } from "/node_modules/three/examples/jsm/loaders/GLTFLoader.js";
  import { USDLoader } from "/node_modules/three/examples/jsm/loaders/USDLoader.js";
  const loaders = { glb: GLTFLoader, "3mf": ThreeMFLoader, usdz: USDLoader };
  const isReady = (object) => !object.material?.map || object.material.map.image?.width > 0;
  const load = async (name) => {
    const Loader = loaders[name.split(".").pop()];
    const model = await new Loader().loadAsync("/target/models/" + name);
    const scene = model.scene ?? model;
    if (Loader === ThreeMFLoader) {
      // In millimeters and with z up.
      scene.scale.setScalar(0.001);
      scene.rotation.x = -Math.PI / 2;
    }
    // Two of the loaders do not wait for the texture.
    const objects = [];
    scene.traverse((object) => objects.push(object));
    while (!objects.every(isReady)) await new Promise((resolve) => setTimeout(resolve, 20));
    return { scene };
  };
  Object.assign(globalThis, { three, load });
</script>`;

const files = createServer((request, response) => {
  const path = new URL(request.url ?? "/", "http://localhost").pathname;
  try {
    const body = path === "/" ? page : readFileSync(`.${decodeURIComponent(path)}`);
    const extension = path === "/" ? "html" : (path.split(".").pop() ?? "");
    const type = mediaTypes[extension] ?? "application/octet-stream";
    response.setHeader("content-type", type).end(body);
  } catch {
    response.writeHead(404).end();
  }
});

/** @type {Browser} */
let browser;
/** @type {Page} */
let tab;
before(async () => {
  await new Promise((resolve) => files.listen(0, "127.0.0.1", () => resolve(undefined)));
  browser = await startChromium({ draws: true });
  tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${/** @type {AddressInfo} */ (files.address()).port}/`);
  await tab.waitForFunction("globalThis.load");
});
after(async () => {
  await browser.close();
  files.close();
});

test("loads every model in three.js", async () => {
  const counts = await tab.evaluate(
    (names) =>
      Promise.all(
        names.map(async (name) => {
          const { scene } = await /** @type {any} */ (globalThis).load(name);
          let triangles = 0;
          scene.traverse((/** @type {any} */ object) => {
            triangles += (object.geometry?.index.count ?? 0) / 3;
          });
          return triangles;
        }),
      ),
    models,
  );
  for (const [index, triangles] of counts.entries()) {
    assert.ok(triangles > 100, `${models[index]}: ${triangles} triangles`);
  }
});

for (const file of ["turtle.webp", "cat.webp", "mushroom.webp", "chelsea.png"]) {
  test(`shows ${file} on the front of its model`, async () => {
    const model = `${file.split(".")[0]}-refined.glb`;
    const difference = await tab.evaluate(frontDifference, { file, model });
    console.log(`${file}: mean colour difference ${difference.toFixed(1)} of 255`);
    assert.ok(difference < 15, `${difference}`);
  });
}

for (const model of ["turtle-converted.3mf", "turtle-converted.usdz"]) {
  test(`shows the image on the front of ${model}`, async () => {
    const difference = await tab.evaluate(frontDifference, { file: "turtle.webp", model });
    console.log(`${model}: mean colour difference ${difference.toFixed(1)} of 255`);
    assert.ok(difference < 15, `${difference}`);
  });
}

/**
 * Returns the mean colour difference between an image, where it is opaque, and its model seen from
 * the front without lighting.
 *
 * @param {{ file: string; model: string }} names
 */
async function frontDifference({ file, model }) {
  const { three, load } = /** @type {any} */ (globalThis);
  const image = await createImageBitmap(await (await fetch(`/www/samples/${file}`)).blob());
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0);
  const expected = context.getImageData(0, 0, width, height).data;
  // The bounding box of the opaque pixels corresponds to the model's bounding box, except below: there
  // the model is cut off.
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let at = 0; at < width * height; at++) {
    if (expected[4 * at + 3] > 127) {
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  }
  const { scene } = await load(model);
  scene.traverse((/** @type {any} */ object) => {
    if (object.material) {
      object.material = new three.MeshBasicMaterial({ map: object.material.map });
    }
  });
  const box = new three.Box3().setFromObject(scene);
  const lower = box.max.y - ((box.max.x - box.min.x) * (bottom - top)) / (right - left);
  const camera = new three.OrthographicCamera(box.min.x, box.max.x, box.max.y, lower, 0, 10);
  camera.position.z = 5;
  const renderer = new three.WebGLRenderer({ antialias: false, preserveDrawingBuffer: true });
  const size = [right - left, bottom - top];
  renderer.setSize(...size);
  renderer.setClearColor(0, 0);
  renderer.render(scene, camera);
  const target = new OffscreenCanvas(size[0], size[1]);
  const targetContext = /** @type {OffscreenCanvasRenderingContext2D} */ (target.getContext("2d"));
  targetContext.drawImage(renderer.domElement, 0, 0);
  const actual = targetContext.getImageData(0, 0, size[0], size[1]).data;
  renderer.dispose();
  let [sum, count] = [0, 0];
  for (let y = 0; y < size[1]; y++) {
    for (let x = 0; x < size[0]; x++) {
      const [there, here] = [4 * ((top + y) * width + left + x), 4 * (y * size[0] + x)];
      if (expected[there + 3] > 250 && actual[here + 3] > 250) {
        for (let channel = 0; channel < 3; channel++) {
          sum += Math.abs(expected[there + channel] - actual[here + channel]);
          count += 1;
        }
      }
    }
  }
  // Both must be opaque in at least half of the box, with three channels per pixel.
  return count > 1.5 * size[0] * size[1] ? sum / count : NaN;
}
