// Where the page begins. A server that serves the page beside the API answers this file itself.

/**
 * In the page itself, or with a server.
 *
 * @type {"page" | "server"}
 */
export const start = "page";

/** What "This machine's server" stands for: the address that `cargo xtask demo` takes. */
export const server = "http://127.0.0.1:8787";
