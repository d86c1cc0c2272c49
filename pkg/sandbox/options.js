// Checks what a sandbox is made with.

import { ImageTo3dError } from "../error.js";

/** @typedef {Required<Omit<import("../sandbox.js").SandboxOptions, "origin">>} Numbers */

/** @type {Record<string, { allowed: string, fits: (value: unknown) => boolean }>} */
const known = {
  speed: {
    allowed: "a number greater than 0",
    fits: (value) => typeof value === "number" && value > 0,
  },
  seed: {
    allowed: "a whole number from 0 to Number.MAX_SAFE_INTEGER",
    fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  },
  origin: {
    allowed: 'the origin of an http: or https: address, such as "http://localhost:6006"',
    fits: (value) =>
      typeof value === "string" && /^https?:/.test(value) && URL.canParse(value) && isOrigin(value),
  },
};

/** @param {string} value */
const isOrigin = (value) => new URL(value).origin === value;

/**
 * The options, with their defaults.
 *
 * @param {import("../sandbox.js").SandboxOptions} options
 * @returns {Numbers & { origin?: string }}
 * @throws {ImageTo3dError} that names the option, what came and what is allowed
 */
export function checked(options) {
  if (typeof options !== "object" || options === null) {
    throw invalid("options", options, "an object");
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known).join(", ");
      throw failure(`${name}: there is no option of that name; there are ${names}`);
    }
    const { allowed, fits } = known[name];
    if (value !== undefined && !fits(value)) {
      throw invalid(name, value, allowed);
    }
  }
  const { speed = 1, seed = 0, origin } = options;
  return { speed, seed, origin };
}

/**
 * @param {string} name
 * @param {unknown} came
 * @param {string} allowed
 */
function invalid(name, came, allowed) {
  return failure(`${name}: came ${shown(came)}, allowed: ${allowed}`);
}

/**
 * The value in words, short, and without asking its own methods: those may throw.
 *
 * @param {unknown} value
 */
function shown(value) {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  const plain = value === null || /^(number|bigint|boolean|undefined)$/.test(typeof value);
  return plain ? String(value) : Object.prototype.toString.call(value);
}

/** @param {string} message */
function failure(message) {
  return new ImageTo3dError(message, { kind: "invalid_options", sent: "no" });
}
