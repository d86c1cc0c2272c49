//! Configurations with which the program does not start.

use super::harness::{Folder, SHOP, get, startup_error};
use crate::support::Server;

/// Checks that a server without client keys does not listen on this address.
fn assert_needs_client_keys(address: &str) {
    let error = startup_error(&["--bind", address]);
    assert!(error.contains("requires client keys"), "{error}");
}

#[test]
fn rejects_all_ipv4_addresses_without_client_keys() {
    assert_needs_client_keys("0.0.0.0");
}

#[test]
fn rejects_all_ipv6_addresses_without_client_keys() {
    assert_needs_client_keys("::");
}

#[test]
fn rejects_a_public_address_without_client_keys() {
    assert_needs_client_keys("192.0.2.1");
}

#[test]
fn accepts_loopback_without_client_keys() {
    let server = Server::start(&["--bind", "127.0.0.2"]);
    assert!(server.host.starts_with("127.0.0.2:"));
}

#[test]
fn accepts_all_addresses_with_client_keys() {
    let folder = Folder::new("");
    let mut server = folder.start_server(&["--bind", "0.0.0.0"]);
    server.host = server.host.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(get(&server, "/health", "").status, 200);
}

#[test]
fn rejects_a_clients_file_that_others_can_read() {
    let folder = Folder::new("");
    folder.set_mode(&folder.path("clients"), 0o640);
    let error = startup_error(&["--config", &folder.config()]);
    assert!(
        error.contains("is accessible to other users") && error.contains("chmod 600"),
        "{error}"
    );
}

/// Checks that the program does not start with these clients.
fn assert_clients_rejected(clients: &str, expected: &str) {
    let folder = Folder::new("");
    folder.write("clients", clients);
    let error = startup_error(&["--config", &folder.config()]);
    assert!(error.contains(expected), "{error}");
}

#[test]
fn rejects_a_client_without_a_name() {
    assert_clients_rejected(&format!("{SHOP}\n"), "line 1");
}

#[test]
fn rejects_a_short_client_key() {
    assert_clients_rejected("shop short\n", "the key of shop");
}

#[test]
fn rejects_an_empty_clients_file() {
    assert_clients_rejected("", "contains no client");
}

#[test]
fn rejects_two_clients_with_the_same_key() {
    assert_clients_rejected(&format!("a {SHOP}\nb {SHOP}\n"), "twice");
}

/// Checks that the program does not start with this `config.toml`.
fn assert_config_rejected(config: &str, expected: &str) {
    let folder = Folder::without_clients(config);
    let error = startup_error(&["--config", &folder.config()]);
    assert!(error.contains(expected), "{error}");
}

#[test]
fn rejects_an_engine_key_in_the_configuration() {
    let config = "[engines.fal]\nkey = \"Zq86canary7d1f93\"\n";
    assert_config_rejected(config, "key_file");
}

#[test]
fn rejects_an_unknown_field_of_an_engine() {
    let config = "[engines.fal]\nkeys = \"Zq86canary7d1f93\"\n";
    assert_config_rejected(config, "unknown field");
}

#[test]
fn rejects_an_unknown_field() {
    assert_config_rejected("daily = 3\n", "unknown field");
}

#[test]
fn rejects_an_unknown_default_engine() {
    assert_config_rejected(
        "default = \"magic\"\n",
        "Invalid default \"magic\": expected \"sculpt\"",
    );
}

#[test]
fn rejects_a_default_engine_without_a_table() {
    assert_config_rejected("default = \"fal\"\n", "[engines.fal]");
}

#[test]
fn rejects_an_unknown_engine() {
    assert_config_rejected(
        "[engines.magic]\n",
        "Invalid engine \"magic\": expected \"sculpt\"",
    );
}

#[test]
fn rejects_an_engine_url_of_another_scheme() {
    let config = "[engines.hunyuan]\nurl = \"ftp://x\"\n";
    assert_config_rejected(config, "url must be an http: or https: URL");
}

#[test]
fn rejects_an_engine_url_with_a_password() {
    let config = "[engines.hunyuan]\nurl = \"http://me:Zq86canary7d1f93@x\"\n";
    assert_config_rejected(config, "url must be an http: or https: URL");
}

#[test]
fn rejects_a_poll_interval_of_0() {
    assert_config_rejected(
        "[engines.hunyuan]\npoll = 0\n",
        "Invalid poll 0: expected a number of seconds",
    );
}
