import { ImageTo3dError, createSession } from "./pkg/index.js";
import { buildForm, chosen, element } from "./parameters.js";
import { curl, javascript } from "./snippets.js";

const samples = ["turtle.webp", "cat.webp", "mushroom.webp", "rocket.jpg", "chelsea.png"];

const form = /** @type {HTMLFormElement} */ (find("form"));
const input = /** @type {HTMLInputElement} */ (find("image"));
const drop = find("drop");
const thumbnail = /** @type {HTMLImageElement} */ (find("thumbnail"));
const hint = find("image-hint");
const outcome = find("outcome");
const progress = /** @type {HTMLProgressElement} */ (find("progress"));
const raw = find("raw");
const baseUrl = /** @type {HTMLInputElement} */ (find("base-url"));
const apiKey = /** @type {HTMLInputElement} */ (find("api-key"));
const create = /** @type {HTMLButtonElement} */ (find("create"));
const cancel = /** @type {HTMLButtonElement} */ (find("cancel"));

/** @type {File | undefined} */
let picture;

/** @param {string} id */
function find(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {File | undefined} file */
function show(file) {
  if (!file) {
    return;
  }
  picture = file;
  URL.revokeObjectURL(thumbnail.src);
  thumbnail.src = URL.createObjectURL(file);
  thumbnail.hidden = false;
  hint.textContent = `${file.name}, ${size(file.size)}`;
  showCode();
}

/** @param {number} bytes */
function size(bytes) {
  const [amount, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${amount.toLocaleString("en", { maximumSignificantDigits: 3 })} ${unit}`;
}

/**
 * @param {string} text
 * @param {{ code?: string, failed?: boolean }} [session]
 */
function say(text, { code, failed = false } = {}) {
  outcome.classList.toggle("failed", failed);
  outcome.replaceChildren(...(code ? ["Session ", element("strong", {}, code), ": "] : []), text);
}

function showCode() {
  const address = baseUrl.value.replace(/\/+$/, "");
  const withKey = apiKey.value !== "";
  const file = picture ?? { name: "picture.png", type: "image/png" };
  find("javascript").textContent = javascript(address, chosen(form), withKey);
  find("curl").textContent = curl(address, chosen(form), withKey, file);
}

/** @param {AbortSignal} signal */
async function send(signal) {
  if (!picture) {
    say("Choose a picture first.", { failed: true });
    input.focus();
    return;
  }
  try {
    const session = await createSession({
      image: picture,
      ...chosen(form),
      baseUrl: baseUrl.value,
      ...(apiKey.value && { apiKey: apiKey.value }),
      signal,
      onProgress({ phase, loaded, total }) {
        progress.value = loaded / total;
        say(phase === "sending" ? "Sending the picture…" : "Encoding the picture…");
      },
    });
    say(session.status, { code: session.session_code });
    find("json").textContent = JSON.stringify(session, null, 2);
    raw.hidden = false;
  } catch (error) {
    if (signal.aborted) {
      say("Cancelled.");
    } else if (error instanceof ImageTo3dError) {
      say(explained(error), { failed: true });
    } else {
      throw error;
    }
  }
}

/** @param {ImageTo3dError} error */
function explained({ message, sent, retryAfter }) {
  const later = retryAfter === undefined ? "" : ` Try again in ${retryAfter} s.`;
  const doubt = sent === "unknown" ? " A session may have been created all the same." : "";
  return `${message[0].toUpperCase()}${message.slice(1)}.${later}${doubt}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const controller = new AbortController();
  cancel.onclick = () => controller.abort();
  create.disabled = true;
  cancel.hidden = progress.hidden = false;
  progress.value = 0;
  raw.hidden = true;
  outcome.scrollIntoView({ block: "nearest", behavior: "smooth" });
  try {
    await send(controller.signal);
  } finally {
    create.disabled = false;
    cancel.hidden = progress.hidden = true;
  }
});

input.addEventListener("change", () => show(input.files?.[0]));
form.addEventListener("input", showCode);

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
  show(event.dataTransfer?.files[0]);
});
document.addEventListener("paste", (event) => show(event.clipboardData?.files[0]));

find("samples").append(
  ...samples.map((name) => {
    const image = element("img", { src: `samples/${name}`, alt: "" });
    const button = element("button", { type: "button", title: name }, image);
    button.setAttribute("aria-label", `Sample ${name.split(".")[0]}`);
    button.addEventListener("click", async () => {
      const blob = await (await fetch(`samples/${name}`)).blob();
      show(new File([blob], name, { type: blob.type }));
    });
    return button;
  }),
);

baseUrl.value = location.origin;
buildForm(find("parameters"), find("enterprise"));
showCode();
