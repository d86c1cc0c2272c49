//! Failed fetches: each ends in time and is reported without details of this machine's network.

use std::net::TcpListener;
use std::time::Instant;

use ureq::tls::RootCerts;

use super::https::{Https, LIMIT, TIMEOUT, all};
use crate::fetcher::Fetcher;

/// Checks that fetching this path of a server fails with this error.
fn assert_path_fails(path: &str, expected: &str) {
    let https = Https::start();
    let start = Instant::now();
    let error = https.fetcher(all).fetch(&https.url(path)).unwrap_err();
    let error = error.to_string();
    assert_eq!(error, expected);
    assert!(start.elapsed() < 2 * TIMEOUT);
    for detail in ["127.0", "localhost", "rustls", "os error", "passwd"] {
        assert!(!error.contains(detail), "{error}");
    }
}

/// Checks that fetching this URL fails with this error.
fn assert_url_fails(url: &str, expected: &str) {
    let error = Https::start().fetcher(all).fetch(url).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn reports_the_status_of_a_missing_image() {
    assert_path_fails("/nothing", "HTTP 404");
}

#[test]
fn rejects_an_image_over_the_limit() {
    assert_path_fails("/large", "larger than 100000 bytes (0 MiB)");
}

#[test]
fn stops_reading_an_endless_image() {
    assert_path_fails("/endless", "larger than 100000 bytes (0 MiB)");
}

#[test]
fn gives_up_a_slow_image() {
    assert_path_fails("/slow", "not received within 2 s");
}

#[test]
fn gives_up_without_a_response() {
    assert_path_fails("/silent", "not received within 2 s");
}

#[test]
fn rejects_a_truncated_image() {
    assert_path_fails("/truncated", "the server cannot be reached");
}

#[test]
fn rejects_a_response_that_is_not_http() {
    assert_path_fails("/ssh", "the response is not valid HTTP");
}

#[test]
fn stops_after_three_redirects() {
    assert_path_fails("/?to=/?to=/?to=/?to=/a.png", "more than 3 redirects");
}

#[test]
fn rejects_a_redirect_to_http() {
    assert_path_fails(
        "/?to=http://localhost/a.png",
        "only https: URLs are fetched",
    );
}

#[test]
fn rejects_a_redirect_to_ftp() {
    assert_path_fails("/?to=ftp://localhost/a.png", "only https: URLs are fetched");
}

#[test]
fn rejects_a_redirect_to_a_file() {
    assert_path_fails("/?to=file:///etc/passwd", "HTTP 404");
}

#[test]
fn reports_a_closed_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    assert_url_fails(
        &format!("https://{closed}/"),
        "the server cannot be reached",
    );
}

#[test]
fn reports_an_unknown_host() {
    assert_url_fails("https://nobody.invalid/", "the server cannot be reached");
}

#[test]
fn rejects_an_untrusted_certificate() {
    let https = Https::start();
    let fetcher = Fetcher::new(all, RootCerts::WebPki, LIMIT, TIMEOUT);
    let error = fetcher.fetch(&https.url("/a.png")).unwrap_err();
    let expected = "no secure connection, or a certificate that is not trusted";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn rejects_a_url_with_a_password() {
    assert_url_fails("https://me:secret@localhost/", "invalid URL");
}

#[test]
fn rejects_a_url_without_a_host() {
    assert_url_fails("https://", "invalid URL");
}

#[test]
fn rejects_a_url_with_a_space() {
    assert_url_fails("https:// /", "invalid URL");
}

#[test]
fn rejects_an_http_url() {
    assert_url_fails("http://localhost/a.png", "only https: URLs are fetched");
}

#[test]
fn rejects_an_http_url_in_upper_case() {
    assert_url_fails("HTTP://LOCALHOST/a.png", "only https: URLs are fetched");
}
