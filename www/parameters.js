// The form of the parameters, from one table.

import { element } from "./dom.js";

/** @import { Parameters } from "./pkg/index.js" */

/**
 * A parameter as the form shows it. `standard` is what the API takes where it is left out.
 *
 * @typedef {{ [Name in keyof Parameters]-?: {
 *   name: Name,
 *   label: string,
 *   hint?: string,
 *   enterprise?: true,
 *   standard?: Parameters[Name],
 *   chosen?: Parameters[Name],
 *   control: Parameters[Name] extends boolean | undefined
 *     ? "switch"
 *     : Parameters[Name] extends readonly number[] | undefined
 *       ? { triple: [string, string, string], min?: number, max?: number }
 *       : { choices: NonNullable<Parameters[Name]>[] },
 * } }[keyof Parameters]} Parameter
 */

/** @type {Parameter[]} */
const table = [
  {
    name: "generate_texture",
    label: "Texture",
    hint: "The picture's colours on the model.",
    control: "switch",
    standard: false,
    // The only thing that differs from the API's own defaults: a newcomer shall see colours.
    chosen: true,
  },
  {
    name: "preview_mesh",
    label: "Preview",
    hint: "turbo stops at four views to choose from; the chosen one becomes the front.",
    control: { choices: ["fast_sculpt", "turbo"] },
    standard: "fast_sculpt",
  },
  {
    name: "creativity",
    label: "Creativity",
    hint: "For engines that invent what the picture hides. It is recorded; no engine of today honours it.",
    control: { choices: ["lowest", "moderate", "highest"] },
    standard: "lowest",
  },
  {
    name: "auto_refine",
    label: "Refine by itself",
    hint: "Goes on from the preview without being asked.",
    control: "switch",
    standard: false,
  },
  {
    name: "refine_speed",
    label: "Refinement",
    hint: "For engines that take longer to do better. It is recorded; no engine of today honours it.",
    control: { choices: ["slow", "fast"] },
    standard: "slow",
  },
  {
    name: "topology",
    label: "Topology",
    hint: "Triangles, or quads where the format has them: in OBJ. A GLB holds triangles.",
    enterprise: true,
    control: { choices: ["tris", "quads"] },
    standard: "tris",
  },
  {
    name: "resolution",
    label: "Resolution",
    hint: "low_poly keeps the outline with few faces; high_poly has tens of thousands.",
    enterprise: true,
    control: { choices: ["high_poly", "low_poly"] },
    standard: "high_poly",
  },
  {
    name: "texture_resolution",
    label: "Texture resolution",
    hint: "The longer edge in pixels, at most: never more than the picture has.",
    enterprise: true,
    control: { choices: [128, 256, 512, 1024, 2048] },
    standard: 2048,
  },
  {
    name: "scaled_bbox",
    label: "Dimensions",
    hint: "Of the whole model. Left empty, it keeps its own.",
    enterprise: true,
    control: { triple: ["Width", "Height", "Depth"], min: 0 },
  },
  {
    name: "pivot_point",
    label: "Origin in the box",
    hint: "Where in its box the model has its origin: from -0.5 to 0.5, 0 is the centre.",
    enterprise: true,
    control: { triple: ["x", "y", "z"], min: -0.5, max: 0.5 },
    standard: [0, 0, 0],
  },
];

/**
 * Builds the controls.
 *
 * @param {Element} ordinary where those for everybody go
 * @param {Element} enterprise where the others go
 */
export function buildForm(ordinary, enterprise) {
  for (const parameter of table) {
    (parameter.enterprise ? enterprise : ordinary).append(field(parameter));
  }
}

/**
 * What is chosen, without what the API would take anyway.
 *
 * @param {HTMLFormElement} form
 * @returns {Parameters}
 */
export function chosen(form) {
  const values = new FormData(form);
  /** @type {Record<string, unknown>} */
  const result = {};
  for (const { name, control, standard } of table) {
    const value = read(values, name, control);
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(standard)) {
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
function read(values, name, control) {
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
function field({ name, label, hint, control, standard, chosen = standard }) {
  const id = `parameter-${name}`;
  const field = document.createElement(isTriple(control) ? "fieldset" : "div");
  field.className = control === "switch" ? "field switch" : "field";
  if (isTriple(control)) {
    field.append(element("legend", {}, label), triple(name, control, chosen));
  } else if (control === "switch") {
    const box = element("input", { id, name, type: "checkbox", checked: chosen === true });
    field.append(element("label", { htmlFor: id }, box, label));
  } else {
    const options = control.choices.map((choice) => {
      const value = String(choice);
      return element("option", { value, selected: choice === chosen }, value);
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
 * @returns {control is Extract<Parameter["control"], { triple: unknown }>}
 */
function isTriple(control) {
  return typeof control === "object" && "triple" in control;
}

/**
 * @param {string} name
 * @param {{ triple: string[], min?: number, max?: number }} control
 * @param {unknown} chosen
 */
function triple(name, { triple, min = -Infinity, max = Infinity }, chosen) {
  const values = Array.isArray(chosen) ? chosen.map(String) : ["", "", ""];
  const inputs = triple.map((label, index) => {
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
  return element("div", { className: "triple" }, ...inputs);
}
