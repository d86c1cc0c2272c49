/** The package's own. Apps that have copied the folder replace this file. @type {string | undefined} */
export const cutoutFiles = undefined;
