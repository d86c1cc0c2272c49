// Checks the options of `createSandbox` before the WebAssembly is loaded. The Rust side trusts them.

import { describe, invalid, unknownOption } from "../message.js";
import { ImageTo3dError } from "../wasm/shared.js";

/** @import { SandboxOptions } from "../sandbox.js" */
/** @typedef {SandboxOptions & { speed: number, seed: number }} Settings */

/** @type {Record<keyof SandboxOptions, { expected: string, isValid: (value: unknown) => boolean }>} */
const checks = {
  speed: {
    expected: "a number greater than 0",
    isValid: (value) => typeof value === "number" && value > 0,
  },
  seed: {
    expected: "a whole number from 0 to Number.MAX_SAFE_INTEGER",
    isValid: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  },
  origin: {
    expected: 'the origin of an http: or https: URL, such as "http://localhost:6006"',
    isValid: (value) =>
      typeof value === "string" &&
      /^https?:/.test(value) &&
      URL.canParse(value) &&
      new URL(value).origin === value,
  },
  cutoutFiles: {
    expected: 'the http: or https: URL of a folder, such as "https://example.com/cutout/"',
    isValid: (value) =>
      typeof value === "string" && /^https?:\/\/[^?#]+\/$/.test(value) && URL.canParse(value),
  },
};

/**
 * Returns the options, completed by their defaults.
 *
 * @param {SandboxOptions} options
 * @returns {Settings}
 * @throws {ImageTo3dError} with kind `"invalid_options"`, if an option is unknown or invalid
 */
export function checkOptions(options) {
  if (typeof options !== "object" || options === null) {
    throw invalidOptions(`Expected an options object, got ${describe(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) {
      throw invalidOptions(unknownOption(name, Object.keys(checks)));
    }
    const { expected, isValid } = checks[name];
    if (value !== undefined && !isValid(value)) {
      throw invalidOptions(invalid(name, value, expected));
    }
  }
  const { speed = 1, seed = 0, origin, cutoutFiles } = options;
  return { speed, seed, origin, cutoutFiles };
}

/**
 * @param {string} name
 * @returns {name is keyof SandboxOptions}
 */
const isOption = (name) => Object.hasOwn(checks, name);

/** @param {string} message */
function invalidOptions(message) {
  return new ImageTo3dError(message, { kind: "invalid_options", sent: "no" });
}
