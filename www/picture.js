// The picture: chosen, dropped, pasted, or one of the samples.

import { element, find } from "./dom.js";

const samples = ["turtle.webp", "cat.webp", "mushroom.webp", "rocket.jpg", "chelsea.png"];

const thumbnail = /** @type {HTMLImageElement} */ (find("thumbnail"));

/** @type {File | undefined} */
let picture;

/** The picture, if there is one. */
export const chosenPicture = () => picture;

/**
 * Readies the ways to choose a picture.
 *
 * @param {() => void} changed called when there is another
 */
export function readyPicture(changed) {
  const input = /** @type {HTMLInputElement} */ (find("image"));
  const drop = find("drop");

  const choose = (/** @type {File | undefined} */ file) => {
    if (file) {
      picture = file;
      show(file);
      changed();
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
    const image = element("img", { src: `samples/${name}`, alt: "" });
    const onclick = async () => {
      const blob = await (await fetch(`samples/${name}`)).blob();
      choose(new File([blob], name, { type: blob.type }));
    };
    const ariaLabel = `Sample ${name.split(".")[0]}`;
    find("samples").append(element("button", { type: "button", ariaLabel, onclick }, image));
  }
}

/** @param {File} file */
function show(file) {
  URL.revokeObjectURL(thumbnail.src);
  thumbnail.src = URL.createObjectURL(file);
  showPicture(file.name);
  find("image-hint").textContent = `${file.name}, ${size(file.size)}`;
}

/**
 * Puts the picture where its model will be, if it is of this name: nobody has another.
 *
 * @param {string} name
 */
export function showPicture(name) {
  thumbnail.hidden = picture?.name !== name;
  find("viewer").hidden = false;
}

/**
 * Bytes in words.
 *
 * @param {number} bytes
 */
export function size(bytes) {
  const [amount, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${amount.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
}
