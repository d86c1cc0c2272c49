// Fetches the images at the URLs that requests name. The URLs come from untrusted callers, so that only
// the public internet is reachable.

import { lookup } from "node:dns";
import { get } from "node:https";
import { BlockList, isIP } from "node:net";
import { Readable } from "node:stream";

const MAX_REDIRECTS = 3;

/**
 * IPv4 addresses that are not public, by IANA's registry of special-purpose addresses.
 *
 * @type {[string, number][]}
 */
const special4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * IPv6 addresses that are not public: all outside of 2000::/3, and in it protocol assignments,
 * documentation, and 6to4, whose relays may lead to any IPv4 address.
 *
 * @type {[string, number][]}
 */
const special6 = [
  ["::", 3],
  ["4000::", 2],
  ["8000::", 1],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const notPublic4 = blockList("ipv4", special4);
const notPublic6 = blockList("ipv6", special6);

// NAT64 addresses are as public as the IPv4 addresses that they embed.
const nat64 = blockList("ipv6", [["64:ff9b::", 96]]);
const notPublicNat64 = blockList(
  "ipv6",
  special4.map(([net, prefix]) => [`64:ff9b::${net}`, 96 + prefix]),
);

/**
 * Returns a list of subnets of one family. One list for both would also find IPv4 addresses in IPv6
 * subnets, as mapped ones.
 *
 * @param {import("node:net").IPVersion} family
 * @param {[string, number][]} subnets
 */
function blockList(family, subnets) {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, family);
  return list;
}

/**
 * Returns whether an IP address belongs to the public internet.
 *
 * @param {string} address
 */
export function isPublic(address) {
  if (isIP(address) === 4) return !notPublic4.check(address, "ipv4");
  const notPublic = nat64.check(address, "ipv6") ? notPublicNat64 : notPublic6;
  return !notPublic.check(address, "ipv6");
}

const notPublicError = () => new Error("the URL, or a redirect, does not lead to a public address");

/**
 * Returns a `fetch` that sends GET requests over https to allowed addresses only.
 *
 * @param {(address: string) => boolean} [isAllowed] whether an IP address may be connected to
 * @returns {typeof fetch}
 */
export function publicFetch(isAllowed = isPublic) {
  /**
   * Resolves a name to its allowed addresses. The connection uses the checked addresses: a second
   * lookup might return others.
   *
   * @type {import("node:net").LookupFunction}
   */
  function guardedLookup(name, options, callback) {
    lookup(name, { ...options, all: true }, (error, all) => {
      const addresses = all?.filter(({ address }) => isAllowed(address)) ?? [];
      if (error ?? !addresses.length) callback(error ?? notPublicError(), "");
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0].address, addresses[0].family);
    });
  }

  /**
   * @param {URL} url
   * @param {AbortSignal} [signal]
   * @returns {Promise<import("node:http").IncomingMessage>}
   */
  function request(url, signal) {
    if (url.protocol !== "https:") throw new Error("only https: URLs are fetched");
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // Node.js does not look up IP addresses.
    if (isIP(host) && !isAllowed(host)) throw notPublicError();
    // A user name and password would be sent along.
    url.username = url.password = "";
    const headers = { "user-agent": "csm-image-to-3d" };
    return new Promise((resolve, reject) =>
      get(url, { lookup: guardedLookup, signal, headers }, resolve).on("error", (error) =>
        reject(signal?.aborted ? signal.reason : error),
      ),
    );
  }

  return async (input, init) => {
    let url = new URL(String(input));
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await request(url, init?.signal ?? undefined);
      const { statusCode: status = 0, headers } = response;
      if (status < 300 || status >= 400 || !headers.location) {
        const body = /** @type {ReadableStream<Uint8Array>} */ (Readable.toWeb(response));
        return new Response(body, { status });
      }
      response.destroy();
      url = new URL(headers.location, url);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects`);
  };
}
