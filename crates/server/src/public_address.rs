//! Tells addresses of the public internet from private and reserved ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address belongs to the public internet, by IANA's registries of
/// special-purpose addresses. Anything unassigned counts as not public.
///
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // "This network", private, loopback.
        [0 | 10 | 127, ..]
        // Shared address space of carrier-grade NAT.
        | [100, 64..=127, ..]
        // Link-local; clouds serve the credentials of a machine at 169.254.169.254.
        | [169, 254, ..]
        // Private.
        | [172, 16..=31, ..] | [192, 168, ..]
        // Protocol assignments, and the relays of 6to4.
        | [192, 0, 0, _] | [192, 88, 99, _]
        // Documentation.
        | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]
        // Benchmarks.
        | [198, 18 | 19, ..]
        // Multicast, reserved, broadcast.
        | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 reaches the embedded IPv4 address, often as the only way to it.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Protocol assignments such as Teredo, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // 6to4: deprecated, and a relay may lead to any IPv4 address.
        [0x2002, ..] => false,
        // The rest of global unicast, 2000::/3. Loopback, unique local, link-local, multicast and
        // IPv4-mapped addresses are outside of it.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}
