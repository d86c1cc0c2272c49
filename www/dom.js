// The few lines of DOM that every part of the page needs.

/**
 * The element of an id.
 *
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} id
 * @returns {E}
 */
export function find(id) {
  return /** @type {E} */ (document.getElementById(id));
}

/**
 * An element with properties and children.
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
 * A button.
 *
 * @param {string} label
 * @param {() => void} act
 */
export function button(label, act) {
  return element("button", { type: "button", onclick: act }, label);
}
