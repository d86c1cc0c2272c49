// DOM helpers.

/**
 * Returns the element with an id.
 *
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} id
 * @returns {E}
 */
export function find(id) {
  return /** @type {E} */ (document.getElementById(id));
}

/**
 * Creates an element with properties and children.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 */
export function element(tag, properties, ...children) {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}

/**
 * Creates a button.
 *
 * @param {string} label
 * @param {() => void} onclick
 */
export function button(label, onclick) {
  return element("button", { type: "button", onclick }, label);
}
