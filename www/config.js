// The endpoints that the page starts with. The project's server replaces this file when it serves
// the page (`/config.js`).

/**
 * The endpoint that is selected at first: the API in the page, or `server`.
 *
 * @type {"page" | "server"}
 */
export const start = "page";

/** The address of the local server; the default is the address of `cargo xtask demo`. */
export const server = "http://127.0.0.1:8787";
