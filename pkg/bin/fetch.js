// Pictures that lie elsewhere. Their addresses come from strangers, since pages of any origin may
// send requests: they lead nowhere but to the public internet.

import { lookup } from "node:dns";
import { get } from "node:https";
import { BlockList, isIP } from "node:net";
import { Readable } from "node:stream";

const MOST_REDIRECTS = 3;

/** What is not public, by IANA's registries of special addresses. */
const special4 = subnets("ipv4", [
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
]);
const special6 = subnets("ipv6", [
  // All but what is handed out to the public, and in that: protocols, documentation, and 6to4,
  // which leads to any IPv4 address.
  ["::", 3],
  ["4000::", 2],
  ["8000::", 1],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]);

/**
 * A list of one family alone: an IPv4 address would also be found in subnets of IPv6.
 *
 * @param {import("node:net").IPVersion} family
 * @param {[string, number][]} all
 */
function subnets(family, all) {
  const list = new BlockList();
  for (const [net, prefix] of all) list.addSubnet(net, prefix, family);
  return list;
}

/**
 * Whether an address is one of the public internet.
 *
 * @param {string} address
 */
export const isPublic = (address) =>
  isIP(address) === 4 ? !special4.check(address, "ipv4") : !special6.check(address, "ipv6");

const refusal = () =>
  new Error("the address, or one that it redirects to, is not in the public internet");

/**
 * A `fetch` that only gets, over https, from the addresses that it is allowed.
 *
 * @param {(address: string) => boolean} [allowed] which IP addresses may be connected to
 * @returns {typeof fetch}
 */
export function publicFetch(allowed = isPublic) {
  /**
   * What a name resolves to is looked at where it is connected to: asked for again, it may be
   * another.
   *
   * @type {import("node:net").LookupFunction}
   */
  function guarded(name, options, found) {
    lookup(name, { ...options, all: true }, (error, all) => {
      const addresses = all?.filter(({ address }) => allowed(address)) ?? [];
      if (error ?? !addresses.length) found(error ?? refusal(), "");
      else if (options.all) found(null, addresses);
      else found(null, addresses[0].address, addresses[0].family);
    });
  }

  /**
   * @param {URL} url
   * @param {AbortSignal} [signal]
   * @returns {Promise<import("node:http").IncomingMessage>}
   */
  function got(url, signal) {
    if (url.protocol !== "https:") throw new Error("only https: addresses are fetched");
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // Such a one is never looked up.
    if (isIP(host) && !allowed(host)) throw refusal();
    // A name and a password in the address would be sent along.
    url.username = url.password = "";
    const headers = { "user-agent": "csm-image-to-3d" };
    return new Promise((resolve, reject) =>
      get(url, { lookup: guarded, signal, headers }, resolve).on("error", (error) =>
        reject(signal?.aborted ? signal.reason : error),
      ),
    );
  }

  return async (input, init) => {
    let url = new URL(String(input));
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await got(url, init?.signal ?? undefined);
      const { statusCode: status = 0, headers } = answer;
      if (status < 300 || status >= 400 || !headers.location) {
        const body = /** @type {ReadableStream<Uint8Array>} */ (Readable.toWeb(answer));
        return new Response(body, { status });
      }
      answer.destroy();
      url = new URL(headers.location, url);
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects`);
  };
}
