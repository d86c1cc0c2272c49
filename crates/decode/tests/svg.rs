//! SVG files: what is drawn, and what is refused before it needs too much time or memory.

use std::fmt::Write;

use decode::{Decoder, Patience};
use image::{DynamicImage, GenericImageView, Rgba};

fn decode(svg: &str) -> Result<DynamicImage, String> {
    let decoder = Decoder::default();
    let image = decoder.decode(svg.as_bytes(), Patience::Request);
    image.map_err(|error| error.to_string())
}

/// Returns a document of 100 × 100 pixels.
fn document(content: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
        viewBox="0 0 100 100">{content}</svg>"##
    )
}

const COMPLEX: &str = "the SVG file cannot be read: it is too complex. Save it as PNG.";

#[track_caller]
fn assert_refused(svg: &str, message: &str) {
    assert_eq!(decode(svg).unwrap_err(), message);
}

#[test]
fn draws_shapes_with_straight_alpha() {
    let image = decode(&document(
        r##"<rect width="50" height="100" fill="#c86432" opacity="0.5"/>"##,
    ))
    .unwrap();
    assert_eq!(image.dimensions(), (2048, 2048));
    let Rgba([red, green, blue, alpha]) = image.get_pixel(500, 1000);
    let near = |value: u8, expected: u8| value.abs_diff(expected) <= 2;
    assert!(near(red, 200) && near(green, 100) && near(blue, 50) && near(alpha, 128));
    assert_eq!(image.get_pixel(1500, 1000).0[3], 0);
}

#[test]
fn has_the_proportions_of_browsers() {
    let cases = [
        (r#"width="100" height="50""#, (2048, 1024)),
        (r#"width="2in" height="48pt""#, (2048, 683)),
        (r#"width="100" viewBox="0 0 10 40""#, (512, 2048)),
        (r#"height="10" viewBox="0 0 10 40""#, (512, 2048)),
        (r#"viewBox="0 0 30 10""#, (2048, 683)),
        (
            r#"width="100%" height="100%" viewBox="0 0 30 10""#,
            (2048, 683),
        ),
        (
            r#"width="50%" height="100%" viewBox="0 0 30 10""#,
            (2048, 683),
        ),
        ("", (2048, 1024)),
        (r#"width="600""#, (2048, 512)),
        (r#"width="100%" height="100%""#, (2048, 1024)),
        (
            r#"style="width: 40px; height: 20px" viewBox="0 0 1 1""#,
            (2048, 1024),
        ),
        (r#"width="1" height="100000""#, (1, 2048)),
    ];
    for (attributes, size) in cases {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" {attributes}><rect width="9" height="9"/></svg>"#
        );
        assert_eq!(decode(&svg).unwrap().dimensions(), size, "{attributes}");
    }
}

#[test]
fn content_keeps_its_place_without_a_view_box() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg"><rect x="150" width="150" height="150"/></svg>"##;
    let image = decode(svg).unwrap();
    assert_eq!(image.get_pixel(1000, 500).0[3], 0);
    assert_eq!(image.get_pixel(1050, 500).0[3], 255);
}

#[test]
fn refuses_images_without_a_size() {
    for size in [r#"width="0" height="5""#, r#"width="-1" height="5""#] {
        let svg = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" {size}/>"#);
        assert_refused(
            &svg,
            "the SVG file cannot be read: its width and height are not positive. Set them, or a viewBox.",
        );
    }
}

#[test]
fn replaces_entities_of_illustrator() {
    let svg = r##"<?xml version="1.0" encoding="utf-8"?>
        <!-- Generator: Adobe Illustrator -->
        <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
            <!ENTITY ns_svg "http://www.w3.org/2000/svg">
            <!ENTITY ns_xlink "http://www.w3.org/1999/xlink">
            <!ENTITY red "fill:#ff0000">
        ]>
        <svg xmlns="&ns_svg;" xmlns:xlink="&ns_xlink;" viewBox="0 0 10 10">
            <rect width="10" height="10" style="&red;"/>
        </svg>"##;
    assert_eq!(decode(svg).unwrap().get_pixel(9, 9), Rgba([255, 0, 0, 255]));
}

#[test]
fn applies_style_sheets() {
    let svg = document(
        "<style>.a, .b { fill: #00ff00 }</style><rect class='a' width='100' height='100'/>",
    );
    assert_eq!(
        decode(&svg).unwrap().get_pixel(9, 9),
        Rgba([0, 255, 0, 255])
    );
}

#[test]
fn refuses_visible_text() {
    let text = "the SVG file cannot be read: its text needs a font. Convert the text to paths.";
    let shown = [
        "<text>Logo</text>",
        "<g><text><tspan>Logo</tspan></text></g>",
        "<defs><text id='a'>Logo</text></defs><use href='#a'/>",
        "<symbol id='a'><text>Logo</text></symbol><use xlink:href='#a'/>",
        "<clipPath id='a'><text>Logo</text></clipPath><g clip-path='url(#a)'/>",
        "<switch><g requiredExtensions='x'/><text>Logo</text></switch>",
    ];
    for content in shown {
        assert_refused(&document(content), text);
    }
    let hidden = [
        "<text> </text>",
        "<defs><text>Logo</text></defs>",
        "<title>Logo</title>",
        "<g display='none'><text>Logo</text></g>",
        "<g style='display:none'><text>Logo</text></g>",
        "<style>.a { display: none }</style><text class='a'>Logo</text>",
        "<switch><g/><text>Logo</text></switch>",
        "<switch><foreignObject requiredExtensions='x'><p>A</p></foreignObject><g/></switch>",
    ];
    for content in hidden {
        assert!(decode(&document(content)).is_ok(), "{content}");
    }
    assert_refused(
        &document("<foreignObject><p>Logo</p></foreignObject>"),
        "the SVG file cannot be read: it contains HTML. Save it as PNG.",
    );
}

#[test]
fn does_not_read_files() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/pictures/gama1.png"
    );
    assert!(std::fs::exists(path).unwrap());
    for url in [path.to_owned(), format!("file://{path}")] {
        let svg = document(&format!("<image href='{url}' width='100' height='100'/>"));
        let image = decode(&svg).unwrap().into_rgba8();
        assert!(image.pixels().all(|pixel| pixel.0[3] == 0));
    }
}

/// Returns a `data:` URL with an SVG document.
fn svg_url(svg: &str) -> String {
    let mut url = "data:image/svg+xml,".to_owned();
    for byte in svg.bytes() {
        write!(url, "%{byte:02x}").unwrap();
    }
    url
}

fn nested(svg: &str) -> String {
    document(&format!(
        "<image href='{}' width='100' height='100'/>",
        svg_url(svg)
    ))
}

#[test]
fn draws_embedded_images() {
    let fill = document("<rect width='100' height='100' fill='#0000ff'/>")
        .replace("viewBox", "width='8' height='8' viewBox");
    let image = decode(&nested(&fill)).unwrap();
    assert_eq!(image.get_pixel(1000, 1000), Rgba([0, 0, 255, 255]));
    let mut deep = fill;
    for _ in 0..5 {
        deep = nested(&deep).replace("viewBox", "width='8' height='8' viewBox");
    }
    assert_refused(&deep, COMPLEX);
}

#[test]
fn refuses_text_in_embedded_documents() {
    let text = document("<text>Logo</text>");
    assert_refused(
        &nested(&text),
        "the SVG file cannot be read: its text needs a font. Convert the text to paths.",
    );
}
