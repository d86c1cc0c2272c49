// Reads the kernel's TCP counters, which tell whether an upload had to wait for its receiver.

import { readFileSync } from "node:fs";

/**
 * Numbers of events. They include those of other programs.
 *
 * @typedef {object} TcpCounters
 * @property {number} retransmissions segments that were sent again
 * @property {number} zeroWindows how often a receiver had no room for more bytes
 */

/**
 * Returns the events since the machine started; `undefined` on systems that do not count them.
 *
 * @returns {TcpCounters | undefined}
 */
export function tcpCounters() {
  let text;
  try {
    text = ["netstat", "snmp"].map((name) => readFileSync(`/proc/net/${name}`, "utf8")).join("");
  } catch {
    return undefined;
  }
  /** Names in one line, values in the next one. @type {Map<string, number>} */
  const counters = new Map();
  const lines = text.trim().split("\n");
  for (let at = 0; at < lines.length; at += 2) {
    const values = lines[at + 1].split(" ");
    for (const [column, name] of lines[at].split(" ").entries())
      counters.set(`${values[0]}${name}`, Number(values[column]));
  }
  return {
    retransmissions: counters.get("Tcp:RetransSegs") ?? 0,
    zeroWindows: counters.get("TcpExt:TCPToZeroWindowAdv") ?? 0,
  };
}

/**
 * @param {TcpCounters[]} all
 * @returns {TcpCounters}
 */
export const sumOfCounters = (all) => ({
  retransmissions: all.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
  zeroWindows: all.reduce((sum, { zeroWindows }) => sum + zeroWindows, 0),
});

/**
 * Returns the events since an earlier call of `tcpCounters`.
 *
 * @param {TcpCounters | undefined} before
 * @returns {TcpCounters | undefined}
 */
export function countersSince(before) {
  const after = tcpCounters();
  return (
    before &&
    after && {
      retransmissions: after.retransmissions - before.retransmissions,
      zeroWindows: after.zeroWindows - before.zeroWindows,
    }
  );
}
