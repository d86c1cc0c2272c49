//! Which addresses are those of the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address may be one of anybody's own machines: by IANA's registries of special
/// addresses, everything that is not known for one of the public internet is not.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, a private one, this machine.
        [0 | 10 | 127, ..]
        // Behind a provider's NAT.
        | [100, 64..=127, ..]
        // Link-local, which is where clouds keep their machines' secrets.
        | [169, 254, ..]
        // Private.
        | [172, 16..=31, ..] | [192, 168, ..]
        // Protocols, and the relays of 6to4.
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
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64: the way to an IPv4 address where there is no other.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocols, Teredo among them, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // The rest of what is handed out to the public. Outside of it lie loopback, private,
        // link-local, multicast, and IPv4 addresses in disguise.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}
