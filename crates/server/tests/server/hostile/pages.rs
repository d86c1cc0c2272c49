//! Web pages of other people, in front of a server with a paid engine.

use serde_json::Value;

use crate::access::harness::send;
use crate::emulators::hosted::{Emulator, Engine, Scenario};
use crate::paid::harness::start_gateway;
use crate::support::*;

/// Sends everything that a page may want to send, with these headers and a host, and checks the status
/// of all responses. No session is created, and no model requested.
fn assert_gets_nothing(host: &str, headers: &str, status: u16) {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(serde_json::json!({}));
    let server = &gateway.server;
    server.wait_for_end(&code);
    let submits = emulator.submits();
    let session = format!("{SESSIONS}/{code}");
    let create = create_body(&solid_png(1));
    let json = "content-type: application/json\r\n";
    // A page may send these without a preflight.
    let simple = "content-type: text/plain\r\n";
    for (method, path, kind, body) in [
        ("GET", SESSIONS, "", &Value::Null),
        ("GET", &session, "", &Value::Null),
        ("GET", "/sandbox/requests", "", &Value::Null),
        ("GET", "/sandbox/engines", "", &Value::Null),
        ("POST", SESSIONS, json, &create),
        ("POST", SESSIONS, simple, &create),
        ("DELETE", &session, "", &Value::Null),
    ] {
        let response = match host {
            "" => send(server, method, path, &format!("{headers}{kind}"), body),
            host => {
                let body = body.to_string();
                let size = body.len();
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}{kind}\
                     content-length: {size}\r\n\r\n{body}"
                );
                exchange(&server.host, request.as_bytes()).unwrap()
            }
        };
        assert_eq!(response.status, status, "{method} {path}");
        let text = String::from_utf8_lossy(&response.body);
        assert!(!text.contains(&code), "{method} {path}: {text}");
    }
    assert_eq!(server.sessions().len(), 1);
    assert_eq!(emulator.submits(), submits);
}

fn assert_origin_gets_nothing(origin: &str) {
    assert_gets_nothing("", &format!("origin: {origin}\r\n"), 403);
}

cases! {
    assert_origin_gets_nothing:
    page_of_another_site: "http://evil.example";
    page_of_another_site_with_tls: "https://evil.example";
    page_without_an_origin: "null";
    page_whose_host_starts_with_an_address: "http://127.0.0.1.evil.example";
    page_whose_host_starts_with_localhost: "http://localhost.evil.example";
    page_whose_host_ends_with_localhost: "http://evil-localhost";
    page_whose_user_is_localhost: "http://localhost@evil.example";
    page_whose_fragment_is_localhost: "http://evil.example#localhost";
    page_whose_host_starts_with_the_allowed_one: "https://shop.example.evil.example";
    page_of_the_allowed_host_without_tls: "http://shop.example";
    page_of_the_allowed_host_on_another_port: "https://shop.example:8443";
    page_of_a_subdomain_of_the_allowed_host: "https://cdn.shop.example";
    page_of_the_same_network: "http://192.168.0.1";
    page_of_an_extension: "chrome-extension://abcdefghijklmnop";
}

/// The page's own name leads to this machine: its requests are not those of another origin.
fn assert_rebound_host_gets_nothing(host: &str, headers: &str) {
    assert_gets_nothing(host, headers, 421);
}

cases! {
    assert_rebound_host_gets_nothing:
    rebound_host: "evil.example", "";
    rebound_host_with_a_port: "evil.example:8787", "";
    rebound_host_with_its_own_origin: "evil.example", "origin: http://evil.example\r\n";
    rebound_host_that_starts_with_localhost: "localhost.evil.example", "";
    rebound_host_that_starts_with_an_address: "127.0.0.1.evil.example", "";
}

#[test]
fn page_cannot_push_out_sessions_of_the_user() {
    let server = Server::start(&["--keep-mib", "1", "--speed", "1000"]);
    let created = server.post(SESSIONS, "", &create_body(&solid_png(1)));
    let code = session_code(&created.unwrap().json()["data"]);
    server.wait_for_end(&code);
    let headers = "origin: http://evil.example\r\ncontent-type: text/plain\r\n";
    for number in 0..20 {
        let body = create_body(&solid_png(number));
        assert_eq!(send(&server, "POST", SESSIONS, headers, &body).status, 403);
    }
    assert_eq!(session_code(&server.session(&code)), code);
}
