//! Which web pages may use the server.

use serde_json::Value;

use super::harness::{Folder, send, startup_error};
use crate::support::{SESSIONS, Server, create_body, solid_png};

const LISTED: &str = "origins = [\"https://shop.example\"]\n";

/// The header with which a page of any origin can read a response.
fn cors_header(origin: &str) -> String {
    format!("\r\naccess-control-allow-origin: {origin}\r\n")
}

/// Sends a create of a page of this origin, which browsers send without a preflight. Returns the
/// status, and the message unless a session was created.
fn create(server: &Server, origin: &str) -> (u16, String) {
    let headers = format!("origin: {origin}\r\ncontent-type: text/plain\r\n");
    let body = create_body(&solid_png(1));
    let response = send(server, "POST", SESSIONS, &headers, &body);
    // The page can read the response, also if it says that the origin is refused.
    let head = format!("{}\r\n", response.head);
    assert!(head.contains(&cors_header(origin)), "{head}");
    assert!(head.contains("\r\nvary: origin\r\n"), "{head}");
    let message = match response.status {
        201 => String::new(),
        _ => response.message(),
    };
    (response.status, message)
}

#[track_caller]
fn assert_allowed(server: &Server, origin: &str) {
    assert_eq!(create(server, origin), (201, String::new()));
}

#[track_caller]
fn assert_refused(server: &Server, origin: &str) {
    let message = format!(
        "Requests from pages of {origin} are not allowed. Start the server with --origin {origin}"
    );
    assert_eq!(create(server, origin), (403, message));
    assert_eq!(server.sessions().len(), 0);
    let headers = format!("origin: {origin}\r\n");
    for path in [
        SESSIONS,
        "/sandbox/requests",
        "/sandbox/engines",
        "/files/a/image",
    ] {
        let response = send(server, "GET", path, &headers, &Value::Null);
        assert_eq!(response.status, 403, "{path}");
    }
    // Without CORS headers a page cannot read these.
    for path in ["/metrics", "/health"] {
        let response = send(server, "GET", path, &headers, &Value::Null);
        assert!(!response.head.contains("access-control"), "{path}");
    }
}

/// Defines tests for servers with these configurations: the default is the same for all.
macro_rules! default_tests {
    ($($name:ident: $config:expr;)*) => {
        $(
            mod $name {
                use super::*;

                fn start() -> Server {
                    Folder::without_clients($config).start_server(&[])
                }

                #[test]
                fn local_origins_are_allowed() {
                    let server = start();
                    for origin in [
                        "http://localhost:5173",
                        "https://localhost",
                        "http://127.0.0.1:3000",
                        "http://[::1]:8080",
                        "capacitor://localhost",
                    ] {
                        assert_allowed(&server, origin);
                    }
                }

                #[test]
                fn own_origin_is_allowed() {
                    let server = start();
                    assert_allowed(&server, &format!("http://{}", server.host));
                }

                #[test]
                fn other_origins_are_refused() {
                    let server = start();
                    for origin in [
                        "https://evil.example",
                        "http://localhost.evil.example",
                        "http://127.0.0.1.evil.example:80",
                        "http://evil.example:8787",
                        "http://127.0.0.2:8787",
                        "http://localhost@evil.example",
                    ] {
                        assert_refused(&server, origin);
                    }
                }
            }
        )*
    };
}

default_tests! {
    free_engine: "";
    paid_engine: "[engines.fal]\n";
}

#[test]
fn listed_origin_is_allowed_beside_local_ones() {
    let server = Folder::without_clients(LISTED).start_server(&["--origin", "https://B.example/"]);
    assert_allowed(&server, "https://shop.example");
    assert_allowed(&server, "https://b.example");
    assert_allowed(&server, "http://localhost:3000");
}

#[test]
fn origin_that_starts_like_a_listed_one_is_refused() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    assert_refused(&server, "https://shop.example.evil.example");
    assert_refused(&server, "http://shop.example");
}

#[test]
fn null_origin_is_refused() {
    let server = Folder::without_clients(LISTED).start_server(&[]);
    let message = "Requests from pages without an origin, such as local files, are not allowed. \
                   Open the page from a web server at localhost";
    assert_eq!(create(&server, "null"), (403, message.into()));
}

#[test]
fn asterisk_allows_all_origins() {
    let server = Server::start(&["--origin", "*"]);
    let body = create_body(&solid_png(1));
    let response = send(
        &server,
        "POST",
        SESSIONS,
        "origin: https://evil.example\r\n",
        &body,
    );
    assert_eq!(response.status, 201);
    assert!(response.head.contains("access-control-allow-origin: *"));
}

#[test]
fn invalid_origin_is_a_startup_error() {
    let expected = "expected an origin such as \"https://shop.example\", or \"*\" for all";
    for origin in ["shop.example", "https://shop.example/path", "null", ""] {
        let error = startup_error(&["--origin", origin]);
        assert!(error.contains(expected), "{error}");
        let folder = Folder::without_clients(&format!("origins = [{origin:?}]\n"));
        let error = startup_error(&["--config", &folder.config()]);
        let expected = format!("Invalid origins \"{origin}\": {expected}");
        assert!(error.contains(&expected), "{error}");
    }
}

/// A page of a refused origin cannot use a simulated fault to see or cause anything else.
#[test]
fn fault_does_not_bypass_the_origin() {
    let server = Server::start(&[]);
    for fault in ["fault_echo-json", "fault_drop-before", "fault_drop-after"] {
        let headers = format!("origin: https://evil.example\r\nx-api-key: {fault}\r\n");
        let body = create_body(&solid_png(1));
        let response = send(&server, "POST", SESSIONS, &headers, &body);
        assert_eq!(response.status, 403, "{fault}");
    }
    assert_eq!(server.sessions().len(), 0);
}

#[test]
fn preflight_is_answered_for_every_origin() {
    let server = Server::start(&[]);
    for (origin, is_allowed) in [
        ("http://localhost:1", true),
        ("https://evil.example", false),
    ] {
        let headers = format!(
            "origin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-private-network: true\r\n"
        );
        let response = send(&server, "OPTIONS", SESSIONS, &headers, &Value::Null);
        assert_eq!(response.status, 204);
        let head = format!("{}\r\n", response.head);
        assert!(head.contains(&cors_header(origin)), "{head}");
        let methods = "\r\naccess-control-allow-methods: get, post, delete\r\n";
        assert!(head.contains(methods), "{head}");
        let private = "\r\naccess-control-allow-private-network: true\r\n";
        assert_eq!(head.contains(private), is_allowed, "{head}");
    }
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

#[test]
fn start_prints_which_pages_may_use_the_server() {
    let local = "web pages: of localhost, 127.0.0.1, [::1] and this server";
    assert_eq!(
        Server::start(&[]).web_pages,
        format!("{local}; allow others with `--origin URL`")
    );
    let listed = Folder::without_clients(LISTED).start_server(&[]);
    assert_eq!(
        listed.web_pages,
        format!("{local}, and of https://shop.example")
    );
    let all = Server::start(&["--origin", "*"]);
    assert_eq!(all.web_pages, "web pages: of all origins");
}
