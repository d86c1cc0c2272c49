// Which web pages may use the server, and under which host names it can be reached. The same rules and
// messages as in crates/api/src/web_access.rs.

import { isIPv4, isIPv6 } from "node:net";

/** @import { IncomingHttpHeaders } from "node:http" */

/**
 * @typedef {object} AccessOptions
 * @property {string[]} origins the allowed origins beside the local ones; `*` for all
 * @property {string[]} hostNames the allowed host names beside `localhost` and IP addresses
 */

/**
 * Returns the origin in the form in which browsers send it, or `undefined` if it is not one.
 *
 * @param {string} text an origin or `*`
 */
export function parseOrigin(text) {
  const origin = text.replace(/\/$/, "").toLowerCase();
  if (!/^(\*|[^:/]+:\/\/[\w.:[\]-]+)$/.test(origin)) return undefined;
  return origin.replace(/^(http:.*):80$|^(https:.*):443$/, "$1$2");
}

/**
 * Returns the host name, or `undefined` if it is not one.
 *
 * @param {string} text
 */
export const parseHostName = (text) => (/^[\w.-]+$/.test(text) ? text.toLowerCase() : undefined);

/** @param {AccessOptions} options */
export function createAccess({ origins, hostNames }) {
  const allowsAll = origins.includes("*");

  /**
   * Returns whether the page that sent a request may use the server. Requests without an origin are
   * allowed.
   *
   * @param {IncomingHttpHeaders} headers
   */
  function isOriginAllowed({ origin, host }) {
    if (allowsAll || origin === undefined) return true;
    const [, scheme, rest] = /^([^:/]+):\/\/(.*)$/.exec(origin) ?? [];
    if (rest === undefined) return false;
    const isLoopback = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(withoutPort(rest));
    const isOwn = /^https?$/.test(scheme) && rest === host;
    return isLoopback || isOwn || origins.includes(origin);
  }

  /** @param {string} host */
  function isHostAllowed(host) {
    const name = withoutPort(host);
    const bare = /^\[(.*)\]$/.exec(name)?.[1];
    const isIp = bare === undefined ? isIPv4(name) : isIPv6(bare);
    return name === "localhost" || isIp || hostNames.includes(name);
  }

  return {
    isOriginAllowed,

    /**
     * Returns the status and the message of the error with which a request is rejected, or
     * `undefined` if it is allowed.
     *
     * @param {string} method
     * @param {IncomingHttpHeaders} headers
     * @returns {{ status: number, message: string } | undefined}
     */
    check(method, headers) {
      const { origin, host } = headers;
      if (host !== undefined && !isHostAllowed(host)) {
        const name = withoutPort(host);
        return {
          status: 421,
          message: `Requests for the host ${name} are not allowed. Start the server with --host-name ${name}`,
        };
      }
      // The page can then read the error of the request that follows the preflight.
      if (method === "OPTIONS" || isOriginAllowed(headers)) return undefined;
      const message =
        origin === "null"
          ? "Requests from pages without an origin, such as local files, are not allowed. Open the page from a web server at localhost"
          : `Requests from pages of ${origin} are not allowed. Start the server with --origin ${origin}`;
      return { status: 403, message };
    },

    /**
     * Returns the value of `Access-Control-Allow-Origin`. It names refused origins too, because their
     * pages may read the error that says so.
     *
     * @param {IncomingHttpHeaders} headers
     */
    corsOrigin: ({ origin }) => (allowsAll ? "*" : (origin ?? "*")),

    /** Describes in one line which pages may use the server. */
    describe() {
      const local = "web pages: of localhost, 127.0.0.1, [::1] and this server";
      if (allowsAll) return "web pages: of all origins";
      return origins.length
        ? `${local}, and of ${origins.join(", ")}`
        : `${local}; allow others with \`--origin URL\``;
    },
  };
}

/** @param {string} host */
const withoutPort = (host) => host.replace(/:\d*$/, "").toLowerCase();
