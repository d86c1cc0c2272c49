//! A server behind a proxy: the URLs in sessions, and the headers that the proxy sets.

use serde_json::Value;

use super::harness::{Folder, SHOP, key_header, send, startup_error, wait_until_complete};
use crate::support::{Response, SESSIONS, Server, create_body, exchange, session_code, solid_png};

/// Sends a request for this host. `headers` are lines that end with `\r\n`.
fn request(server: &Server, method: &str, host: &str, headers: &str, body: &str) -> Response {
    let size = body.len();
    let request = format!(
        "{method} {SESSIONS} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\
         content-length: {size}\r\n\r\n{body}"
    );
    exchange(&server.host, request.as_bytes()).unwrap()
}

/// Creates a session with these headers, and returns the URL of its image up to `/files/`.
fn base_url(server: &Server, headers: &str) -> String {
    let body = create_body(&solid_png(1));
    let created = send(server, "POST", SESSIONS, headers, &body).json();
    let url = created["data"]["image_url"].as_str().unwrap().to_owned();
    url.split_once("/files/").unwrap().0.to_owned()
}

/// Returns all texts in a JSON value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn all_urls_start_with_the_public_one() {
    let folder = Folder::new("public_url = \"https://Shop.example:443/api/\"\n");
    let server = folder.start_server(&["--speed", "50"]);
    let mut body = create_body(&solid_png(1));
    body["auto_refine"] = true.into();
    let created = send(&server, "POST", SESSIONS, &key_header(SHOP), &body).json();
    let session = wait_until_complete(&server, SHOP, &session_code(&created["data"]));
    let urls = texts(&session);
    let urls: Vec<_> = urls.iter().filter(|text| text.contains("://")).collect();
    // The image, and five models of two stages.
    assert!(urls.len() >= 11, "{urls:?}");
    for url in urls {
        assert!(url.starts_with("https://shop.example/api/files/"), "{url}");
    }
}

#[test]
fn host_and_origin_of_the_public_url_are_allowed() {
    let server = Server::start(&["--public-url", "https://shop.example/api"]);
    let body = create_body(&solid_png(1)).to_string();
    let origin = "origin: https://shop.example\r\n";
    assert_eq!(
        request(&server, "POST", "shop.example", origin, &body).status,
        201
    );
    assert_eq!(
        request(&server, "POST", "localhost", origin, &body).status,
        201
    );
    let other = "origin: https://other.example\r\n";
    assert_eq!(
        request(&server, "POST", "shop.example", other, &body).status,
        403
    );
    assert_eq!(request(&server, "GET", "other.example", "", "").status, 421);
    assert!(
        server.web_pages.ends_with(", and of https://shop.example"),
        "{}",
        server.web_pages
    );
}

#[test]
fn invalid_public_url_is_a_startup_error() {
    let expected = "expected an http: or https: URL such as \"https://shop.example/api\"";
    for url in [
        "shop.example",
        "ftp://a.example",
        "https://a.example/?b",
        "https://a@b.example",
        "/api",
    ] {
        let error = startup_error(&["--public-url", url]);
        assert!(error.contains(expected), "{error}");
        let folder = Folder::without_clients(&format!("public_url = {url:?}\n"));
        let error = startup_error(&["--config", &folder.config()]);
        let expected = format!("line 1: Invalid public_url \"{url}\": {expected}");
        assert!(error.contains(&expected), "{error}");
    }
}

/// The values are those that a proxy adds last; a caller can only add earlier ones.
#[test]
fn urls_have_the_address_at_a_trusted_proxy() {
    let server = Folder::without_clients("trust_proxy = true\nhost_names = [\"a.example\"]\n")
        .start_server(&[]);
    let own = format!("http://{}", server.host);
    for (headers, expected) in [
        ("", &*own),
        ("x-forwarded-host: a.example\r\n", "http://a.example"),
        (
            "x-forwarded-host: a.example:8443\r\nx-forwarded-proto: https\r\n",
            "https://a.example:8443",
        ),
        (
            "x-forwarded-host: a.example\r\nx-forwarded-prefix: /api/\r\n",
            "http://a.example/api",
        ),
        (
            "x-forwarded-host: evil.example, a.example\r\n",
            "http://a.example",
        ),
        (
            "x-forwarded-host: evil.example\r\nx-forwarded-host: a.example\r\n",
            "http://a.example",
        ),
        (
            "forwarded: for=\"[::1]\"; Host=\"a.example:81\";proto=https\r\n",
            "https://a.example:81",
        ),
        (
            "forwarded: host=evil.example, host=a.example\r\n",
            "http://a.example",
        ),
        (
            "forwarded: host=evil.example\r\nx-forwarded-host: a.example\r\n",
            "http://a.example",
        ),
        // Invalid ones.
        (
            "x-forwarded-host: a.example/path\r\nx-forwarded-proto: ftp\r\nx-forwarded-prefix: //evil.example\r\n",
            &*own,
        ),
        (
            "x-forwarded-host: evil.example@a.example\r\nx-forwarded-prefix: /a?b\r\n",
            &*own,
        ),
    ] {
        assert_eq!(base_url(&server, headers), expected, "{headers}");
    }
}

#[test]
fn headers_of_a_proxy_are_ignored_by_default() {
    let server = Server::start(&[]);
    let own = format!("http://{}", server.host);
    for headers in [
        "x-forwarded-host: a.example\r\nx-forwarded-prefix: /api\r\n",
        "forwarded: host=a.example;proto=https\r\n",
    ] {
        assert_eq!(base_url(&server, headers), own);
    }
}

/// The name at the proxy may be one that an attacker points to it.
#[test]
fn host_and_origin_at_a_trusted_proxy_are_checked() {
    let server = Server::start(&["--trust-proxy", "--host-name", "a.example"]);
    let status = |headers: &str| request(&server, "GET", "localhost", headers, "").status;
    assert_eq!(status("x-forwarded-host: evil.example\r\n"), 421);
    let own = "x-forwarded-host: a.example:81\r\norigin: https://a.example:81\r\n";
    assert_eq!(status(own), 200);
    let other = "x-forwarded-host: a.example\r\norigin: https://evil.example\r\n";
    assert_eq!(status(other), 403);
    // A trusted proxy does not replace the check of the host.
    let rebound = request(
        &server,
        "GET",
        "evil.example",
        "x-forwarded-host: a.example\r\n",
        "",
    );
    assert_eq!(rebound.status, 421);
}
