// A file input that creates a model of the chosen image, without a framework.

import { createModel } from "./model.js";

/**
 * Adds the input, the status and a link to the model to an element.
 *
 * @param {Element} parent
 * @param {import("csm-image-to-3d").WaitOptions} [api] how to reach the API; a test passes the
 *   sandbox here
 */
export function renderUpload(parent, api) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  label.append("Image ", input);

  const status = document.createElement("output");
  const link = document.createElement("a");
  link.textContent = "Model";
  link.hidden = true;
  parent.append(label, status, link);

  input.addEventListener("change", async () => {
    const image = input.files?.[0];
    if (!image) return;
    link.hidden = true;
    const setStatus = (/** @type {string} */ message) => (status.textContent = message);
    const url = await createModel(image, { setStatus, ...(api && { api }) });
    if (!url) return;
    link.href = url;
    link.hidden = false;
  });
}
