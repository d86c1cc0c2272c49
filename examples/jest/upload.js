// A file input that shows what happens to the chosen image.

import { ImageTo3dError, imageTo3d } from "csm-image-to-3d";

/**
 * Adds the input, the status and a link to the model to an element.
 *
 * @param {Element} parent
 * @param {import("csm-image-to-3d").WaitOptions} [api] how to reach the API; a test passes the
 *   sandbox here
 */
export function renderUpload(parent, api = { baseUrl: "/api" }) {
  parent.innerHTML = `<label>Image <input type="file" accept="image/*"></label>
    <output></output> <a hidden>Model</a>`;
  const [input, status, link] = parent.querySelectorAll("input, output, a");
  input.addEventListener("change", async () => {
    status.textContent = "Generating the model…";
    try {
      const session = await imageTo3d({ ...api, image: input.files[0] });
      link.href = session.preview_mesh_url_glb;
      link.hidden = false;
      status.textContent = "Done.";
    } catch (error) {
      if (!(error instanceof ImageTo3dError)) throw error;
      status.textContent = error.userMessage;
    }
  });
}
