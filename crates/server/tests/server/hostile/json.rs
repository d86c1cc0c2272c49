//! Bodies of create requests that are hard to parse.

use crate::support::*;

const NOT_JSON: &str = "The request body is not valid JSON";
const NOT_AN_OBJECT: &str = "The request body must be a JSON object";
/// The rest of the body was read, and `image_url` is what is wrong with it.
const NO_IMAGE: &str = "Missing image_url: expected ";
const NOT_A_URL: &str = "Invalid image_url ";

/// Sends a body, and checks the message of the response. The server still creates sessions.
fn assert_rejected(body: &[u8], expected: &str) {
    let server = Server::start(&[]);
    let response = exchange(&server.host, &post(SESSIONS, "", body)).expect("no response");
    assert_eq!(response.status, 400);
    let message = response.message();
    assert!(message.starts_with(expected), "{message}");
    assert!(message.len() < 300, "{message}");
    let created = server.post(SESSIONS, "", &create_body(&solid_png(1)));
    assert_eq!(created.unwrap().status, 201);
}

/// Returns a body with this field.
fn field(name: &str, value: &str) -> Vec<u8> {
    format!("{{\"{name}\":{value}}}").into_bytes()
}

/// Returns a body with a URL and this parameter.
fn parameter(name: &str, value: &str) -> Vec<u8> {
    format!("{{\"image_url\":\"a\",\"{name}\":{value}}}").into_bytes()
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

cases! {
    assert_rejected:
    empty_body: b"", NOT_JSON;
    truncated_body: b"{\"image_url\":\"data:", NOT_JSON;
    second_object_behind_the_body: b"{\"image_url\":\"a\"}{}", NOT_JSON;
    comment: b"{/**/\"image_url\":\"a\"}", NOT_JSON;
    not_a_number: &field("texture_resolution", "NaN"), NOT_JSON;
    byte_order_mark: b"\xef\xbb\xbf{\"image_url\":\"a\"}", NOT_JSON;
    utf_16: b"\xff\xfe{\0\"\0a\0\"\0:\x001\0}\0", NOT_JSON;
    invalid_utf_8: b"{\"image_url\":\"\xff\xfe\"}", NOT_JSON;
    invalid_utf_8_in_a_name: b"{\"\xff\":1}", NOT_JSON;
    control_character_in_a_string: b"{\"image_url\":\"\x01\"}", NOT_JSON;
    array: b"[]", NOT_AN_OBJECT;
    string: b"\"data:image/png;base64,AAAA\"", NOT_AN_OBJECT;
    null: b"null", NOT_AN_OBJECT;
    null_image_url: &field("image_url", "null"), NO_IMAGE;
    prototype: &field("__proto__", "{\"image_url\":\"a\"}"), NO_IMAGE;
    image_url_twice: b"{\"image_url\":\"a\",\"image_url\":\"b\"}", "Invalid image_url \"b\"";
    image_url_nested_100_000_times: &field("image_url", &nested(100_000)), NOT_A_URL;
    unknown_field_nested_100_000_times: &field("x", &nested(100_000)), NO_IMAGE;
    parameter_nested_100_000_times: &parameter("texture_resolution", &nested(100_000)), "Invalid texture_resolution [[";
    unfinished_objects: "{\"a\":".repeat(100_000).as_bytes(), NOT_JSON;
    number_beyond_a_double: &parameter("texture_resolution", "1e400"), "Invalid texture_resolution 1e400: expected ";
    number_beyond_a_double_in_a_list: &parameter("scaled_bbox", "[1e400,1,1]"), "Invalid scaled_bbox [1e400,1,1]: expected ";
    number_of_100_000_digits: &parameter("texture_resolution", &"9".repeat(100_000)), "Invalid texture_resolution 99";
    unknown_number_of_100_000_digits: &field("x", &"9".repeat(100_000)), NO_IMAGE;
    high_surrogate_alone: &field("image_url", "\"\\ud800\""), NOT_A_URL;
    low_surrogate_alone: &field("image_url", "\"\\udc00x\""), NOT_A_URL;
    null_character: &field("image_url", "\"\\u0000\""), NOT_A_URL;
}

/// [`NO_IMAGE`] is returned after the whole body was read. Only the fields that exist are kept: with
/// all of them, 48 MB of names took 474 MB.
#[test]
fn million_fields_take_little_memory() {
    let server = Server::start(&[]);
    let fields = (0..1_000_000).map(|number| format!("\"{number:07}\":0"));
    let body = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
    let before = server.peak_memory();
    let response = exchange(&server.host, &post(SESSIONS, "", body.as_bytes())).unwrap();
    assert!(response.message().starts_with(NO_IMAGE));
    let growth = server.peak_memory() - before;
    let most = 4 * body.len() as u64;
    assert!(growth < most, "{growth} bytes for a body of {}", body.len());
}

/// Such URLs were stored, and made the next start fail.
#[test]
fn image_url_of_40_mb_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data", folder.path().to_str().unwrap()]);
    let size = || {
        let file = folder.path().join("sessions.redb");
        std::fs::metadata(file).unwrap().len()
    };
    let before = size();
    let body = field(
        "image_url",
        &format!("\"https://x/{}\"", "a".repeat(40_000_000)),
    );
    let response = exchange(&server.host, &post(SESSIONS, "", &body)).unwrap();
    assert_eq!(response.status, 400);
    assert!(response.body.len() < 1000);
    assert_eq!(server.sessions().len(), 0);
    assert!(size() < before + 1_000_000, "{}", size());
}
