// The tests of the file input, for each environment with a DOM.

import { screen } from "@testing-library/dom";
import userEvent from "@testing-library/user-event";
import { createSandbox } from "csm-image-to-3d/sandbox";
import { readFile } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";

import { renderUpload } from "./upload.js";

const sandbox = createSandbox({ speed: 100 });
const turtle = await readFile("../../www/samples/turtle.webp");

/** For the first model, before which the sandbox's WebAssembly is compiled. */
const timeout = 30_000;

/**
 * Renders the input and chooses a file, as a user does.
 *
 * @param {BlobPart[]} parts the contents of the file
 */
async function upload(...parts) {
  renderUpload(document.body, { fetch: sandbox.fetch, interval: 10 });
  const image = new File(parts, "turtle.webp", { type: "image/webp" });
  await userEvent.upload(screen.getByLabelText("Image"), image);
}

/** Defines the tests in the current environment. */
export function testUpload() {
  afterEach(async () => {
    document.body.replaceChildren();
    await sandbox.reset();
  });

  test("creates a model of the uploaded image", async () => {
    await upload(turtle);

    const link = await screen.findByRole("link", { name: "Model" }, { timeout });
    const model = await (await sandbox.fetch(link.href)).text();
    expect(model.slice(0, 4)).toBe("glTF");
    expect(screen.getByRole("status").textContent).toBe("Done.");
  });

  test("creates a model of a large image", async () => {
    // Decoders ignore the zeros. Images above 768 KiB are sent as a Blob.
    await upload(turtle, new Uint8Array(1024 * 1024));

    await screen.findByRole("link", { name: "Model" }, { timeout });
  });

  test("rejects a file that is not an image", async () => {
    await upload("text");

    await screen.findByText(/^This file is not an image/, {}, { timeout });
    expect(await sandbox.requests()).toEqual([]);
  });
}
