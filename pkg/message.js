// Error messages: the same sentences as `crates/contract/src/message.rs` makes in Rust.

/** The longest text that a message repeats, in UTF-16 units. */
const LONGEST_TEXT = 60;

/** The most array items that a message repeats. */
const MOST_ITEMS = 3;

/**
 * Returns the message for an option or a parameter with an invalid value.
 *
 * @param {string} name
 * @param {unknown} received
 * @param {string} expected a noun phrase, such as `"a number greater than 0"`
 */
export const invalid = (name, received, expected) =>
  `Invalid ${name} ${describe(received)}: expected ${expected}`;

/**
 * Returns the message for an option that does not exist.
 *
 * @param {string} name
 * @param {string[]} known the names of all options
 */
export const unknownOption = (name, known) =>
  `Unknown option ${describe(name)}. Expected ${oneOf(known)}.`;

/**
 * Joins alternatives: `"a", "b" or "c"`.
 *
 * @param {readonly unknown[]} alternatives
 */
export function oneOf(alternatives) {
  const texts = alternatives.map(describe);
  return [texts.slice(0, -1).join(", "), ...texts.slice(-1)].filter(Boolean).join(" or ");
}

/**
 * Describes a value in a few characters. Calls none of its own methods, because they could throw.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function describe(value) {
  if (typeof value === "string") {
    return `"${value.slice(0, LONGEST_TEXT)}${value.length > LONGEST_TEXT ? "…" : ""}"`;
  }
  if (Array.isArray(value)) {
    const items = value
      .slice(0, MOST_ITEMS)
      .map((item) => (Array.isArray(item) ? "[…]" : describe(item)));
    if (value.length > MOST_ITEMS) items.push("…");
    return `[${items.join(", ")}]`;
  }
  const isPrimitive = value === null || /^(number|bigint|boolean|undefined)$/.test(typeof value);
  if (isPrimitive) return String(value);
  const tag = Object.prototype.toString.call(value);
  return tag === "[object Object]" ? "{…}" : tag;
}
