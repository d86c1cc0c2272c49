// The settings that every measurement receives.

/**
 * @typedef {object} Settings
 * @property {boolean} quick whether to measure briefly, for a first impression
 * @property {string} [baseline] the folder of another build to compare with, instead of other methods
 * @property {string} [serverBaseline] another build of the server to compare with
 * @property {Record<string, string>} versions of the measured programs; measurements add to it
 * @property {(message: string) => void} log reports progress
 */

export {};
