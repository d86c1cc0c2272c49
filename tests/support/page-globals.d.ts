// The globals of the tests' pages, for functions that run there. They do not exist in Node.js.

declare global {
  /** In pages with `library-page.js` or `sandbox-page.js`. */
  var library: typeof import("/pkg/index.js");
  /** In pages with `library-page.js`. */
  var helpers: typeof import("./library-page.js").helpers;
  /** In pages with `hook-page.js`. */
  var hookHelpers: typeof import("./hook-page.js").hookHelpers;
  /** In pages with `sandbox-page.js`. */
  var sandboxHelpers: typeof import("./sandbox-page.js").sandboxHelpers;
}

export {};
