//! Images that are fetched, and the sessions that wait for them.

use api::{Api, Config, MemoryStore, Sculptor};
use serde_json::Value;

use super::https::{Https, LIMIT, all};
use crate::support::{SESSIONS, session_code, solid_png};

#[test]
fn fetches_an_image_unchanged() {
    let https = Https::start();
    let fetched = https.fetcher(all).fetch(&https.url("/a.png"));
    assert_eq!(fetched, Ok(solid_png(1)));
}

#[test]
fn follows_three_redirects() {
    let https = Https::start();
    let url = https.url("/?to=/?to=/?to=/a.png");
    assert_eq!(https.fetcher(all).fetch(&url), Ok(solid_png(1)));
}

#[test]
fn fetches_an_image_of_the_largest_size() {
    let https = Https::start();
    let fetched = https.fetcher(all).fetch(&https.url("/limit"));
    assert_eq!(fetched.unwrap().len(), LIMIT);
}

#[test]
fn reveals_nothing_about_this_machine() {
    let https = Https::start();
    let head = https.fetcher(all).fetch(&https.url("/echo")).unwrap();
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let mut lines: Vec<_> = head.trim_end().lines().skip(1).collect();
    lines.sort_unstable();
    let host = format!("host: localhost:{}", https.port);
    assert_eq!(lines, ["accept: */*", &host, "user-agent: csm-image-to-3d"]);
}

/// Runs a session whose image is at this path, and returns it.
fn run_session(path: &str) -> Value {
    let https = Https::start();
    let api = Api::open(&Config::default(), Box::new(MemoryStore::default()), 0).unwrap();
    let body = format!(r#"{{"image_url":{:?}}}"#, https.url(path));
    let request = |method: &str, path: &str, body: &str| {
        let request = api::http::Request::builder().method(method).uri(path);
        request.body(body.into()).unwrap()
    };
    let data = |response: api::Response| {
        let envelope: Value = serde_json::from_slice(response.body()).unwrap();
        envelope["data"].clone()
    };
    let created = data(api.handle(&request("POST", SESSIONS, &body), 0));
    let job = api.next_job(1000).unwrap().unwrap();
    let fetched = job.image_url().map(|url| https.fetcher(all).fetch(url));
    let fetched = fetched.map(|fetched| fetched.map_err(|error| error.to_string()));
    api.run_job(job, fetched, &Sculptor).unwrap();
    let path = format!("{SESSIONS}/{}", session_code(&created));
    data(api.handle(&request("GET", &path, ""), 2000))
}

#[test]
fn completes_the_session_of_an_image() {
    let session = run_session("/a.png");
    assert_eq!(session["status"], "preview_done");
    assert_eq!(session["error"], Value::Null);
}

/// Checks that the session of the image at this path fails with this error.
fn assert_session_fails(path: &str, expected: &str) {
    let session = run_session(path);
    assert_eq!(session["status"], "preview_failed");
    assert_eq!(session["error"], expected);
}

#[test]
fn fails_the_session_of_a_web_page() {
    assert_session_fails(
        "/page.html",
        "image_url: unrecognized image format (first bytes: 3c 21 64 6f …). Supported: PNG, JPEG, \
         WebP, GIF, BMP, TIFF, SVG, AVIF",
    );
}

#[test]
fn fails_the_session_of_a_missing_image() {
    assert_session_fails("/nothing", "image_url: download failed: HTTP 404");
}
