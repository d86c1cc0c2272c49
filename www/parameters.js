// The parameter form, built from a table.

import { element } from "./dom.js";

/** @import { ModelParameters } from "./pkg/index.js" */

/**
 * A parameter in the form. `apiDefault` is the value that the API uses if the parameter is omitted,
 * `initial` the value that the form starts with (default: `apiDefault`).
 *
 * @typedef {{ [Name in keyof ModelParameters]-?: {
 *   name: Name,
 *   label: string,
 *   hint?: string,
 *   enterprise?: true,
 *   apiDefault?: ModelParameters[Name],
 *   initial?: ModelParameters[Name],
 *   control: ModelParameters[Name] extends boolean | undefined
 *     ? "switch"
 *     : ModelParameters[Name] extends readonly number[] | undefined
 *       ? { labels: [string, string, string], min?: number, max?: number }
 *       : { choices: NonNullable<ModelParameters[Name]>[] },
 * } }[keyof ModelParameters]} Parameter
 */

/** @type {Parameter[]} */
const parameters = [
  {
    name: "generate_texture",
    label: "Texture",
    hint: "Applies the image's colours to the model.",
    control: "switch",
    apiDefault: false,
    // Differs from the API's default, so that a newcomer sees colours.
    initial: true,
  },
  {
    name: "preview_mesh",
    label: "Preview",
    hint: "turbo stops after four views; the one you choose becomes the front of the model.",
    control: { choices: ["fast_sculpt", "turbo"] },
    apiDefault: "fast_sculpt",
  },
  {
    name: "creativity",
    label: "Creativity",
    hint: "How freely an engine may invent hidden parts. Stored with the session, but no current engine uses it.",
    control: { choices: ["lowest", "moderate", "highest"] },
    apiDefault: "lowest",
  },
  {
    name: "auto_refine",
    label: "Refine automatically",
    hint: "Starts the refinement when the preview is done.",
    control: "switch",
    apiDefault: false,
  },
  {
    name: "refine_speed",
    label: "Refinement",
    hint: "slow takes longer for better quality. Stored with the session, but no current engine uses it.",
    control: { choices: ["slow", "fast"] },
    apiDefault: "slow",
  },
  {
    name: "topology",
    label: "Topology",
    hint: "Triangles or quads. OBJ, USDZ and FBX files can contain quads; GLB files always contain triangles.",
    enterprise: true,
    control: { choices: ["tris", "quads"] },
    apiDefault: "tris",
  },
  {
    name: "resolution",
    label: "Resolution",
    hint: "low_poly keeps the outline with few faces; high_poly uses tens of thousands.",
    enterprise: true,
    control: { choices: ["high_poly", "low_poly"] },
    apiDefault: "high_poly",
  },
  {
    name: "texture_resolution",
    label: "Texture resolution",
    hint: "Maximum length of the longer edge, in pixels. Never exceeds the image's own.",
    enterprise: true,
    control: { choices: [128, 256, 512, 1024, 2048] },
    apiDefault: 2048,
  },
  {
    name: "scaled_bbox",
    label: "Dimensions",
    hint: "Size of the whole model. Leave empty to keep its own size.",
    enterprise: true,
    control: { labels: ["Width", "Height", "Depth"], min: 0 },
  },
  {
    name: "pivot_point",
    label: "Pivot point",
    hint: "Position of the origin in the bounding box, from -0.5 to 0.5. 0 is the centre.",
    enterprise: true,
    control: { labels: ["x", "y", "z"], min: -0.5, max: 0.5 },
    apiDefault: [0, 0, 0],
  },
];

/**
 * Adds the controls to the page.
 *
 * @param {Element} general parent of the controls for everyone
 * @param {Element} enterprise parent of the controls for enterprise users
 */
export function renderParameters(general, enterprise) {
  for (const parameter of parameters) {
    (parameter.enterprise ? enterprise : general).append(createField(parameter));
  }
}

/**
 * Returns the parameters in the form that differ from the API's defaults.
 *
 * @param {HTMLFormElement} form
 * @returns {ModelParameters}
 */
export function selectedParameters(form) {
  const values = new FormData(form);
  /** @type {Record<string, unknown>} */
  const result = {};
  for (const { name, control, apiDefault } of parameters) {
    const value = readValue(values, name, control);
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(apiDefault)) {
      result[name] = value;
    }
  }
  return result;
}

/**
 * @param {FormData} values
 * @param {string} name
 * @param {Parameter["control"]} control
 */
function readValue(values, name, control) {
  if (control === "switch") {
    return values.has(name);
  }
  if ("choices" in control) {
    return control.choices.find((choice) => String(choice) === values.get(name));
  }
  const texts = values.getAll(name).map(String);
  return texts.every((text) => text === "") ? undefined : texts.map(Number);
}

/** @param {Parameter} parameter */
function createField({ name, label, hint, control, apiDefault, initial = apiDefault }) {
  const id = `parameter-${name}`;
  const field = document.createElement(isVector(control) ? "fieldset" : "div");
  field.className = control === "switch" ? "field switch" : "field";
  if (isVector(control)) {
    field.append(element("legend", {}, label), createVector(name, control, initial));
  } else if (control === "switch") {
    const box = element("input", { id, name, type: "checkbox", checked: initial === true });
    field.append(element("label", { htmlFor: id }, box, label));
  } else {
    const options = control.choices.map((choice) => {
      const value = String(choice);
      return element("option", { value, selected: choice === initial }, value);
    });
    field.append(
      element("label", { htmlFor: id }, label),
      element("select", { id, name }, ...options),
    );
  }
  if (hint) {
    field.append(element("p", { className: "hint" }, hint));
  }
  return field;
}

/**
 * @param {Parameter["control"]} control
 * @returns {control is Extract<Parameter["control"], { labels: unknown }>}
 */
function isVector(control) {
  return typeof control === "object" && "labels" in control;
}

/**
 * Creates three number inputs.
 *
 * @param {string} name
 * @param {{ labels: string[], min?: number, max?: number }} control
 * @param {unknown} initial
 */
function createVector(name, { labels, min = -Infinity, max = Infinity }, initial) {
  const values = Array.isArray(initial) ? initial.map(String) : ["", "", ""];
  const inputs = labels.map((label, index) => {
    const input = element("input", {
      name,
      type: "number",
      step: "any",
      min: Number.isFinite(min) ? String(min) : "",
      max: Number.isFinite(max) ? String(max) : "",
      value: values[index],
    });
    return element("label", {}, label, input);
  });
  return element("div", { className: "vector" }, ...inputs);
}
