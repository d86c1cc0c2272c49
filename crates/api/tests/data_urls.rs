//! `data:` URLs of images in the forms that browsers accept.

mod support;

use base64_simd::STANDARD;
use serde_json::json;
use support::*;

/// Returns the base64 of a PNG whose length is not a multiple of three, so that it is padded.
fn padded_base64() -> String {
    let mut png = png();
    while png.len() % 3 != 1 {
        png.push(0);
    }
    STANDARD.encode_to_string(png)
}

/// Checks that a session with an image is created.
#[track_caller]
fn assert_accepted(image_url: &str) {
    let response = TestApi::new().post(SESSIONS, &json!({"image_url": image_url}));
    assert_eq!(response.status(), 201, "{}: {image_url:?}", text(&response));
}

#[test]
fn accepts_any_media_type() {
    let base64 = padded_base64();
    let parameters = format!("image/png;charset=utf-8;name={}.png", "%C3%BC".repeat(100));
    for media_type in [
        "",
        "image/png",
        "image/jpeg",
        "image/x-png",
        "IMAGE/PNG",
        "application/octet-stream",
        "text/plain;charset=utf-8",
        &parameters,
    ] {
        assert_accepted(&format!("data:{media_type};base64,{base64}"));
    }
    assert_accepted(&format!("DATA:image/png;BASE64,{base64}"));
    assert_accepted(&format!("data:image/png; base64 ,{base64}"));
}

#[test]
fn accepts_white_space_in_base64() {
    let base64 = padded_base64();
    for line_end in ["\n", "\r\n", " ", "\t", "\u{c}"] {
        let lines: Vec<_> = base64.as_bytes().chunks(76).map(str::from_utf8).collect();
        let lines = lines
            .into_iter()
            .map(|line| format!("{}{line_end}", line.unwrap()));
        assert_accepted(&format!(
            "data:image/png;base64,{line_end}{}",
            lines.collect::<String>()
        ));
    }
}

#[test]
fn accepts_percent_encoded_base64() {
    let base64 = padded_base64();
    let encoded = base64
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('=', "%3D");
    assert_ne!(encoded, base64);
    assert_accepted(&format!("data:image/png;base64,{encoded}%0A"));
}

#[test]
fn accepts_base64_without_padding() {
    let base64 = padded_base64();
    let unpadded = base64.trim_end_matches('=');
    assert_ne!(unpadded, base64);
    assert_accepted(&format!("data:image/png;base64,{unpadded}"));
}

#[test]
fn rejects_invalid_base64() {
    let base64 = padded_base64();
    let start = &base64[..base64.len() - 4];
    for end in ["A", "A===", "AAA==", "=AAA", "%", "%FFA", "-_AA"] {
        let invalid = format!("{start}{end}");
        let image_url = format!("data:image/png;base64,{invalid}");
        let response = TestApi::new().post(SESSIONS, &json!({"image_url": image_url}));
        assert_eq!(
            error_message(&response, 400),
            "image_url: invalid base64 in data: URL (check the padding)"
        );
    }
}

#[test]
fn rejects_text_that_is_not_svg() {
    for image_url in ["data:image/png,abc", "data:image/svg+xml,abc", "data:,"] {
        let response = TestApi::new().post(SESSIONS, &json!({"image_url": image_url}));
        assert_eq!(
            error_message(&response, 400),
            format!("Invalid image_url \"{image_url}\": expected data:image/<type>;base64,<image>")
        );
    }
}

#[test]
fn reads_svg_as_percent_encoded_text() {
    for svg in [
        "%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20width=%2220%22%20height=%2210%22%3E%3Crect%20width=%229%22%20height=%229%22/%3E%3C/svg%3E",
        "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'><rect width='100%' height='9' fill='#a00'/></svg>",
    ] {
        for media_type in ["image/svg+xml", "image/svg+xml;charset=utf8", ""] {
            assert_accepted(&format!("data:{media_type},{svg}"));
        }
    }
}
