/** The replacement of a secret. */
const REPLACEMENT = "[hidden]";

/**
 * The longest secret, in UTF-16 units, that stays in results. Keys for test servers may be short and
 * may occur in a result as ordinary words.
 */
const LONGEST_KEPT_IN_RESULTS = 7;

/** The depth of JSON beyond which values are replaced instead of searched. */
const MAX_DEPTH = 64;

/** The depth of a thrown object up to which it is searched. */
const MAX_CAUSE_DEPTH = 4;

/**
 * Removes the secrets of one call, its API key and the credentials in its headers, from everything
 * that leaves the library.
 *
 * It is defined in JavaScript because it walks over values of JavaScript: in Rust it adds 1.6 KB to
 * the WebAssembly after brotli, here 0.6 KB.
 */
export class Redactor {
  /** @type {{ length: number, pattern: RegExp }[]} */
  #secrets = [];

  /**
   * Adds a secret. Empty texts are ignored.
   *
   * @param {string} secret
   */
  add(secret) {
    const { length } = secret;
    if (length) this.#secrets.push({ length, pattern: new RegExp(pattern(secret), "gi") });
  }

  /**
   * Returns a value of an error without the secrets: a text, or JSON with them in any of its strings
   * and names.
   *
   * @param {unknown} value
   */
  redactError(value) {
    return this.#redact(value, 0, MAX_DEPTH);
  }

  /**
   * Returns the JSON of a result without the secrets that are longer than 7 UTF-16 units.
   *
   * @param {unknown} value
   */
  redactResult(value) {
    return this.#redact(value, LONGEST_KEPT_IN_RESULTS, MAX_DEPTH);
  }

  /**
   * Returns a thrown value, to be kept as the cause of an error. If a secret may be reachable from it,
   * returns an error with its name and its redacted message instead.
   *
   * @param {any} thrown
   */
  redactCause(thrown) {
    try {
      if (!this.#secrets.length || this.#isClean(thrown, MAX_CAUSE_DEPTH)) return thrown;
      if (typeof thrown === "string") return this.redactError(thrown);
      const copy = new Error(String(this.redactError(String(thrown.message))));
      const value = this.redactError(String(thrown.name));
      return Object.defineProperty(copy, "name", { value });
    } catch {
      // A getter of the thrown value threw.
      return undefined;
    }
  }

  /**
   * @param {unknown} value
   * @param {number} longestKept
   * @param {number} depth
   * @returns {unknown}
   */
  #redact(value, longestKept, depth) {
    if (typeof value === "string") {
      return this.#secrets.reduce(
        (text, { length, pattern }) =>
          length > longestKept ? text.replace(pattern, REPLACEMENT) : text,
        value,
      );
    }
    if (!this.#secrets.length || typeof value !== "object" || !value) return value;
    // No response can exhaust the stack.
    if (!depth) return REPLACEMENT;
    /** @param {unknown} inner */
    const redact = (inner) => this.#redact(inner, longestKept, depth - 1);
    if (Array.isArray(value)) return value.map(redact);
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([name, inner]) => [redact(name), redact(inner)]));
  }

  /**
   * Returns whether everything that a console prints of a value is known, and contains no secret.
   *
   * @param {any} value
   * @param {number} depth
   * @returns {boolean}
   */
  #isClean(value, depth) {
    if (typeof value === "string") return this.redactError(value) === value;
    if (typeof value !== "object" || !value) return typeof value !== "function";
    // Other objects, such as `Headers`, do not show what they contain.
    const tag = Object.prototype.toString.call(value);
    if (!depth || !/^\[object (Object|Array|Error|DOMException)\]$/.test(tag)) return false;
    // The texts of an error are its own fields in some browsers, and inherited in others.
    const { name, message, stack } = value;
    const fields = Reflect.ownKeys(value).map((key) => value[key]);
    return [name, message, stack, ...fields].every((field) => this.#isClean(field, depth - 1));
  }
}

/**
 * Returns the source of a regular expression for a secret. Each character that is not alphanumeric
 * may be escaped as in JSON (also as PHP and Go do), in a URL or in HTML.
 *
 * @param {string} secret
 */
const pattern = (secret) =>
  secret.replace(/[^a-z0-9]/gi, (character) => {
    const code = character.charCodeAt(0);
    // A header's value, and so every secret, has no character above U+00FF.
    const hex = code.toString(16).padStart(2, "0");
    const inUrl = encodeURIComponent(character);
    const named = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" }[character];
    const forms = [`\\\\?\\x${hex}`, `\\\\u00${hex}`, `%${hex}`, `&#0*${code};`, `&#x0*${hex};`];
    if (inUrl !== character) forms.push(inUrl);
    if (named) forms.push(`&${named};`);
    return `(?:${forms.join("|")})`;
  });
