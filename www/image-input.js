// The image input: a chosen, dropped or pasted file, or a sample.

import { element, find } from "./dom.js";

const samples = ["coffee.jpg", "astronaut.jpg", "rocket.jpg", "turtle.webp", "cat.webp"];

const thumbnail = /** @type {HTMLImageElement} */ (find("thumbnail"));

/** @type {File | undefined} */
let image;

/** Returns the selected image, if any. */
export const selectedImage = () => image;

/**
 * Initializes the ways to choose an image.
 *
 * @param {() => void} onChange called after another image was chosen
 */
export function initImageInput(onChange) {
  const input = /** @type {HTMLInputElement} */ (find("image"));
  const drop = find("drop");

  const choose = (/** @type {File | undefined} */ file) => {
    if (file) {
      image = file;
      renderImage(file);
      onChange();
    }
  };

  input.addEventListener("change", () => choose(input.files?.[0]));
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) {
    drop.addEventListener(type, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    choose(event.dataTransfer?.files[0]);
  });
  document.addEventListener("paste", (event) => choose(event.clipboardData?.files[0]));

  for (const name of samples) {
    const preview = element("img", { src: `samples/${name}`, alt: "" });
    const onclick = async () => {
      const blob = await (await fetch(`samples/${name}`)).blob();
      choose(new File([blob], name, { type: blob.type }));
    };
    const ariaLabel = `Sample ${name.split(".")[0]}`;
    find("samples").append(element("button", { type: "button", ariaLabel, onclick }, preview));
  }
}

/** @param {File} file */
function renderImage(file) {
  URL.revokeObjectURL(thumbnail.src);
  thumbnail.src = URL.createObjectURL(file);
  showPoster(file.name);
  find("image-hint").textContent = `${file.name}, ${formatBytes(file.size)}`;
}

/**
 * Shows the viewer, with the selected image as its poster if that has this name. The image of an
 * earlier session is not available any more.
 *
 * @param {string} name
 */
export function showPoster(name) {
  thumbnail.hidden = image?.name !== name;
  find("viewer").hidden = false;
}

/**
 * Formats a size in kB or MB.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  const [amount, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${amount.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
}
