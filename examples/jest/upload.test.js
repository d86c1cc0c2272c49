/** @jest-environment @happy-dom/jest-environment */
// The jsdom of Jest 30 has no `fetch`, and cannot read a `File`.

import { createSandbox } from "csm-image-to-3d/sandbox";
import { readFile } from "node:fs/promises";

import { renderUpload } from "./upload.js";

// The real API, 100 times as fast, with real models: no mocks, no network.
const sandbox = createSandbox({ speed: 100 });

// Each test starts without sessions; all blob: URLs are revoked.
afterEach(() => sandbox.reset());

/** Chooses a file, and waits until the status matches. */
async function choose(file, expected) {
  renderUpload(document.body, { fetch: sandbox.fetch, interval: 10 });
  const input = document.querySelector("input");
  Object.defineProperty(input, "files", { value: [file] });
  input.dispatchEvent(new Event("change"));
  const status = document.querySelector("output");
  while (!expected.test(status.textContent))
    await new Promise((resolve) => setTimeout(resolve, 20));
}

test("shows a link to the model", async () => {
  const image = await readFile("../../www/samples/turtle.webp");
  await choose(new File([image], "turtle.webp"), /Done/);
  const model = await (await sandbox.fetch(document.querySelector("a").href)).text();
  expect(model.slice(0, 4)).toBe("glTF");
});

test("says that a file is not an image", async () => {
  await choose(new File(["a text"], "notes.txt"), /not an image/);
});
