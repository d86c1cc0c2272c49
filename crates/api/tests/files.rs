//! Requests for files: validators, ranges, names, and requests for the headers alone.

mod support;

use api::{Config, Response};
use http::HeaderMap;
use serde_json::{Value, json};
use support::*;

/// Creates a session, waits until it is refined, and returns it.
fn refined(api: &mut TestApi) -> Value {
    let session = api.create(json!({"auto_refine": true}));
    api.now += 10_000;
    let session = api.session(&code(&session));
    assert_eq!(session["status"], "refine_done");
    session
}

/// Requests the file at an absolute URL.
fn send(api: &TestApi, method: &str, url: &Value, headers: &[(&str, &str)]) -> Response {
    let path = url.as_str().unwrap().strip_prefix("http://here:1234");
    api.send(request(method, path.unwrap(), headers, ""))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[test]
fn browser_keeps_files_that_never_change() {
    let api = &mut TestApi::new();
    let session = refined(api);
    for (field, expected) in [
        ("image_url", "private, max-age=86400"),
        ("preview_mesh_url_glb", "private, max-age=86400"),
        ("preview_mesh_url_obj", "private, max-age=86400"),
        ("mesh_url_glb", "private, no-cache"),
    ] {
        let response = send(api, "GET", &session[field], &[]);
        assert_eq!(
            header(response.headers(), "cache-control"),
            expected,
            "{field}"
        );
    }
    let other = api.get(&format!("{SESSIONS}/{}", code(&session)));
    assert_eq!(header(other.headers(), "cache-control"), "no-store");
    assert_eq!(header(other.headers(), "etag"), "");
    let missing = api.get("/files/SESSION_1_1/image");
    assert_eq!(header(missing.headers(), "cache-control"), "no-store");
}

#[test]
fn known_file_is_not_sent_again() {
    let api = &mut TestApi::new();
    let session = refined(api);
    for field in ["image_url", "preview_mesh_url_glb", "mesh_url_obj"] {
        let url = &session[field];
        let etag = send(api, "GET", url, &[]).headers()["etag"].clone();
        let etag = etag.to_str().unwrap();
        assert!(etag.starts_with('"'), "{etag}");
        for known in [
            etag,
            "*",
            &format!("W/{etag}"),
            &format!("\"other\", {etag}"),
        ] {
            let response = send(api, "GET", url, &[("if-none-match", known)]);
            assert_eq!(response.status(), 304, "{known}");
            assert!(response.body().is_empty());
            assert_eq!(response.headers()["etag"], etag);
            assert!(response.headers().contains_key("cache-control"));
            assert!(
                response
                    .headers()
                    .contains_key("access-control-allow-origin")
            );
        }
        for other in ["\"other\"", "", "other"] {
            let response = send(api, "GET", url, &[("if-none-match", other)]);
            assert_eq!(response.status(), 200, "{other}");
        }
    }
}

#[test]
fn new_refinement_has_another_etag() {
    let api = &mut TestApi::new();
    let session = refined(api);
    let etag = |api: &TestApi, field: &str| {
        send(api, "GET", &session[field], &[]).headers()["etag"].clone()
    };
    let before = [etag(api, "mesh_url_glb"), etag(api, "preview_mesh_url_glb")];
    assert_ne!(before[0], before[1]);
    assert_eq!(api.refine(&code(&session), &json!({})).status(), 200);
    api.now += 10_000;
    assert_ne!(etag(api, "mesh_url_glb"), before[0]);
    assert_eq!(etag(api, "preview_mesh_url_glb"), before[1]);
}

#[test]
fn file_is_saved_under_the_name_of_its_session() {
    let api = &mut TestApi::new();
    let session = refined(api);
    let code = code(&session);
    for (field, name) in [
        ("image_url", "image.png"),
        ("preview_mesh_url_glb", "preview.glb"),
        ("preview_mesh_url_zip", "preview.zip"),
        ("mesh_url_stl", "mesh.stl"),
    ] {
        let response = send(api, "GET", &session[field], &[]);
        let expected = format!("inline; filename=\"{code}-{name}\"");
        assert_eq!(header(response.headers(), "content-disposition"), expected);
    }
}

#[test]
fn head_has_the_headers_of_a_file_without_its_body() {
    let api = &mut TestApi::new();
    let session = refined(api);
    let url = &session["preview_mesh_url_glb"];
    let (get, head) = (send(api, "GET", url, &[]), send(api, "HEAD", url, &[]));
    assert_eq!(head.status(), 200);
    assert!(head.body().is_empty());
    let mut headers = head.headers().clone();
    let length = headers.remove("content-length").unwrap();
    assert_eq!(length, get.body().len().to_string());
    assert_eq!(&headers, get.headers());
    // A range of nothing.
    let head = send(api, "HEAD", url, &[("range", "bytes=0-3")]);
    assert_eq!(head.status(), 200);
    let missing = api.send(request("HEAD", "/files/SESSION_1_1/image", &[], ""));
    assert_eq!(missing.status(), 404);
    assert!(missing.body().is_empty());
}

#[test]
fn range_of_a_file_is_sent() {
    let api = &mut TestApi::new();
    let session = refined(api);
    let url = &session["preview_mesh_url_glb"];
    let whole = send(api, "GET", url, &[]);
    assert_eq!(header(whole.headers(), "accept-ranges"), "bytes");
    let whole = whole.into_body();
    let size = whole.len();
    for (range, first, last) in [
        ("bytes=0-3", 0, 3),
        ("bytes=4-4", 4, 4),
        ("bytes=100-", 100, size - 1),
        ("bytes=-5", size - 5, size - 1),
        ("bytes=1-99999999", 1, size - 1),
    ] {
        let response = send(api, "GET", url, &[("range", range)]);
        assert_eq!(response.status(), 206, "{range}");
        assert_eq!(response.body(), &whole[first..=last]);
        let expected = format!("bytes {first}-{last}/{size}");
        assert_eq!(header(response.headers(), "content-range"), expected);
        assert_eq!(
            header(response.headers(), "content-type"),
            "model/gltf-binary"
        );
        assert!(response.headers().contains_key("etag"));
    }
    for ignored in ["bytes=0-1,4-5", "bytes=5-4", "items=0-1", "bytes=a-b", ""] {
        let response = send(api, "GET", url, &[("range", ignored)]);
        assert_eq!(response.status(), 200, "{ignored}");
        assert_eq!(response.body(), &whole);
    }
    let beyond = send(api, "GET", url, &[("range", "bytes=99999999-")]);
    assert_eq!(
        header(beyond.headers(), "content-range"),
        format!("bytes */{size}")
    );
    let message = error_message(&beyond, 416);
    assert_eq!(
        message,
        format!("Invalid range: expected one within the {size} bytes of the file")
    );
}

/// Otherwise a caller would join the parts of two files.
#[test]
fn range_of_another_version_is_ignored() {
    let api = &mut TestApi::new();
    let session = refined(api);
    let url = &session["mesh_url_glb"];
    let etag = send(api, "GET", url, &[]).headers()["etag"].clone();
    let etag = etag.to_str().unwrap();
    for (tag, status) in [(etag, 206), ("\"other\"", 200), (&format!("W/{etag}"), 200)] {
        let headers = [("range", "bytes=0-3"), ("if-range", tag)];
        assert_eq!(send(api, "GET", url, &headers).status(), status, "{tag}");
    }
}

/// A copy in the browser would hide the fault.
#[test]
fn result_with_a_simulated_fault_is_not_kept() {
    let api = &mut TestApi::with(&Config::default());
    let session = api.create_with(&[("x-api-key", "fault_result-expired")], json!({}));
    api.now += 10_000;
    let session = api.session(&code(&session));
    let url = &session["preview_mesh_url_glb"];
    let response = send(
        api,
        "GET",
        url,
        &[("if-none-match", "*"), ("range", "bytes=0-3")],
    );
    assert_eq!(response.status(), 403);
    assert_eq!(header(response.headers(), "cache-control"), "no-store");
}
