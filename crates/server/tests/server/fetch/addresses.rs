//! Addresses outside the public internet are rejected, in every notation and after redirects.

use std::net::IpAddr;
use std::time::Instant;

use serde_json::Value;

use super::https::{Https, TIMEOUT, all};
use crate::public_address::is_public;
use crate::support::repository_file;

const NOT_PUBLIC: &str = "the URL, or a redirect, does not lead to a public address";

/// Allows every address but 127.0.0.2, as if that one were private.
fn all_but_one(address: IpAddr) -> bool {
    address != IpAddr::from([127, 0, 0, 2])
}

/// Checks that the image of a private address is not fetched. `{private}` in `path` is replaced
/// with a URL at which an image would be found.
fn assert_redirect_rejected(path: &str) {
    let https = Https::start();
    let private = format!("https://127.0.0.2:{}/a.png", https.port);
    assert!(https.fetcher(all).fetch(&private).is_ok());
    let url = https.url(&path.replace("{private}", &private));
    let error = https.fetcher(all_but_one).fetch(&url).unwrap_err();
    assert_eq!(error.to_string(), NOT_PUBLIC);
}

#[test]
fn private_address_is_rejected() {
    let https = Https::start();
    let private = format!("https://127.0.0.2:{}/a.png", https.port);
    assert!(https.fetcher(all).fetch(&private).is_ok());
    let error = https.fetcher(all_but_one).fetch(&private).unwrap_err();
    assert_eq!(error.to_string(), NOT_PUBLIC);
}

#[test]
fn redirect_to_a_private_address_is_rejected() {
    assert_redirect_rejected("/?to={private}");
}

#[test]
fn second_redirect_to_a_private_address_is_rejected() {
    assert_redirect_rejected("/?to=/?to={private}");
}

#[test]
fn redirect_to_a_short_private_address_is_rejected() {
    assert_redirect_rejected("/?to=https://127.2/a.png");
}

/// Checks that none of these hosts is contacted.
fn assert_not_public(hosts: &[&str]) {
    let https = Https::start();
    let fetcher = https.fetcher(is_public);
    for host in hosts {
        // Where the host is this machine, an image would be found.
        let url = format!("https://{host}:{}/a.png", https.port);
        let start = Instant::now();
        let error = fetcher.fetch(&url).unwrap_err();
        assert_eq!(error.to_string(), NOT_PUBLIC, "{host}");
        assert!(start.elapsed() < TIMEOUT, "{host}");
    }
}

#[test]
fn loopback_is_not_public() {
    assert_not_public(&["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "[::1]"]);
}

#[test]
fn loopback_in_other_notations_is_not_public() {
    assert_not_public(&[
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
    ]);
}

#[test]
fn unspecified_addresses_are_not_public() {
    assert_not_public(&["0", "0.0.0.0", "[::]"]);
}

#[test]
fn private_networks_are_not_public() {
    assert_not_public(&[
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "3232235521",
        "[::ffff:10.0.0.1]",
        "[fc00::1]",
        "[fd12:3456:789a::1]",
        "[fec0::1]",
    ]);
}

#[test]
fn carrier_grade_nat_is_not_public() {
    assert_not_public(&["100.64.0.1"]);
}

#[test]
fn link_local_addresses_are_not_public() {
    assert_not_public(&["169.254.169.254", "0xa9fea9fe", "[fe80::1]"]);
}

#[test]
fn translated_private_addresses_and_6to4_are_not_public() {
    assert_not_public(&[
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::1]",
        "[2002:101:101::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    ]);
}

#[test]
fn multicast_documentation_and_reserved_addresses_are_not_public() {
    assert_not_public(&[
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "192.0.0.8",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
    ]);
}

/// Checks that all of these addresses are public.
fn assert_public(addresses: &[&str]) {
    for address in addresses {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn neighbours_of_private_networks_are_public() {
    assert_public(&[
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
    ]);
}

#[test]
fn ipv6_unicast_addresses_are_public() {
    assert_public(&[
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "64:ff9b::1.1.1.1",
    ]);
}

#[test]
fn agrees_with_the_javascript_server() {
    let table = repository_file("tests/support/addresses.json");
    let table: Vec<Value> = serde_json::from_str(&table).unwrap();
    for case in table {
        let address = case["address"].as_str().unwrap();
        let is_public = is_public(address.parse().unwrap());
        assert_eq!(is_public, case["is_public"], "{case}");
    }
}
