//! Which web pages may use the server.

use serde_json::Value;

use super::harness::{Folder, send};
use crate::support::{SESSIONS, Server, create_body, exchange, solid_png};

const LISTED: &str = "origins = [\"https://shop.example\"]\n";

/// Whether a web page may use the server.
#[derive(PartialEq)]
enum Access {
    Allowed,
    Denied,
}

/// Checks the create and the preflight of a page of this origin.
fn assert_access(server: &Server, origin: &str, access: Access) {
    let is_allowed = access == Access::Allowed;
    // A simple request: browsers send it without a preflight.
    let headers = format!("origin: {origin}\r\ncontent-type: text/plain\r\n");
    let body = create_body(&solid_png(1));
    let response = send(server, "POST", SESSIONS, &headers, &body);
    assert_eq!(response.status, if is_allowed { 201 } else { 403 });
    let header = format!("access-control-allow-origin: {origin}\r\n");
    assert_eq!(
        format!("{}\r\n", response.head).contains(&header),
        is_allowed,
        "{}",
        response.head
    );
    let preflight = send(server, "OPTIONS", SESSIONS, &headers, &Value::Null);
    assert_eq!(
        preflight.head.contains("access-control-allow-origin"),
        is_allowed,
        "{}",
        preflight.head
    );
}

#[test]
fn listed_origin_is_allowed() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    assert_access(&server, "https://shop.example", Access::Allowed);
}

#[test]
fn own_origin_is_allowed() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    let own = format!("http://{}", server.host);
    assert_access(&server, &own, Access::Allowed);
}

#[test]
fn unlisted_origin_is_denied() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    assert_access(&server, "https://evil.example", Access::Denied);
}

#[test]
fn origin_that_starts_like_a_listed_one_is_denied() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    assert_access(&server, "https://shop.example.evil.example", Access::Denied);
}

#[test]
fn null_origin_is_denied() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    assert_access(&server, "null", Access::Denied);
}

#[test]
fn request_without_an_origin_is_allowed() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    let body = create_body(&solid_png(1));
    assert_eq!(send(&server, "POST", SESSIONS, "", &body).status, 201);
}

#[test]
fn urls_have_the_scheme_of_the_proxy() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    let headers = "x-forwarded-proto: https\r\n";
    let body = create_body(&solid_png(1));
    let created = send(&server, "POST", SESSIONS, headers, &body).json();
    let url = created["data"]["image_url"].as_str().unwrap();
    let expected = format!("https://{}/files/", server.host);
    assert!(url.starts_with(&expected), "{url}");
}

/// Checks the status of a request for this host from a page of this origin, to a server with a paid
/// engine and without listed origins. `{port}` is replaced with the server's port.
fn assert_status_with_paid_engine(host: &str, origin: &str, expected: u16) {
    let server = Folder::without_clients("[engines.fal]\n").start_server(&[]);
    let port = server.host.rsplit(':').next().unwrap();
    let (host, origin) = (host.replace("{port}", port), origin.replace("{port}", port));
    let request = format!(
        "GET {SESSIONS} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nconnection: close\r\n\r\n"
    );
    let response = exchange(&server.host, request.as_bytes()).unwrap();
    assert_eq!(response.status, expected);
}

mod paid_engine {
    use super::assert_status_with_paid_engine;

    #[test]
    fn own_page_at_an_ipv4_address_is_allowed() {
        assert_status_with_paid_engine("127.0.0.1:{port}", "http://127.0.0.1:{port}", 200);
    }

    #[test]
    fn own_page_at_localhost_is_allowed() {
        assert_status_with_paid_engine("localhost:{port}", "http://localhost:{port}", 200);
    }

    #[test]
    fn own_page_at_an_ipv6_address_is_allowed() {
        assert_status_with_paid_engine("[::1]:80", "http://[::1]:80", 200);
    }

    #[test]
    fn unlisted_origin_is_denied() {
        assert_status_with_paid_engine("127.0.0.1:{port}", "https://evil.example", 403);
    }

    /// DNS rebinding: a foreign name that resolves to this server.
    #[test]
    fn rebound_host_is_denied() {
        assert_status_with_paid_engine("evil.example:{port}", "http://evil.example:{port}", 403);
    }
}
