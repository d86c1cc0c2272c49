//! SVG files that would need too much time, memory or stack.

use std::fmt::Write;

use decode::{Decoder, Patience};

const COMPLEX: &str = "the SVG file cannot be read: it is too complex. Save it as PNG.";
const RECURSIVE: &str = "the SVG file cannot be read: an element refers to itself. Save it as PNG.";

fn document(content: &str) -> String {
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{content}</svg>"#)
}

fn decode(svg: &str) -> Result<(), String> {
    let decoder = Decoder::default();
    let image = decoder.decode(svg.as_bytes(), Patience::Request);
    image.map(drop).map_err(|error| error.to_string())
}

/// The cases run in a thread with the smallest stack that the server and WebAssembly have.
#[track_caller]
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(run).unwrap().join().unwrap();
}

/// A document, and the start of its message.
type Case = (&'static str, String, &'static str);

#[track_caller]
fn assert_refused(cases: Vec<Case>) {
    on_small_stack(move || {
        for (name, svg, message) in cases {
            let received = decode(&svg).err().unwrap_or_default();
            assert!(received.starts_with(message), "{name}: {received}");
        }
    });
}

fn repeat(count: usize, part: impl FnMut(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// Returns elements in which each refers to the next one ten times.
fn chain(
    levels: usize,
    element: impl Fn(usize, &str) -> String,
    link: impl Fn(usize) -> String,
) -> String {
    repeat(levels, |level| {
        element(level, &repeat(10, |_| link(level + 1)))
    })
}

#[test]
fn refuses_documents_that_grow() {
    let laughs = {
        let mut svg = "<!DOCTYPE svg [<!ENTITY l0 'lol'>".to_owned();
        for level in 1..10 {
            let values = format!("&l{};", level - 1).repeat(10);
            write!(svg, "<!ENTITY l{level} '{values}'>").unwrap();
        }
        svg + "]>" + &document("<desc>&l9;</desc>")
    };
    let blowup = {
        let value = "a".repeat(60_000);
        let references = "&a;".repeat(60_000);
        format!(
            "<!DOCTYPE svg [<!ENTITY a '{value}'>]>{}",
            document(&references)
        )
    };
    let cyclic_entity = format!(
        "<!DOCTYPE svg [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>{}",
        document("&a;")
    );
    let empty = {
        let mut svg = "<!DOCTYPE svg [<!ENTITY l0 ''>".to_owned();
        for level in 1..8 {
            let values = format!("&l{};", level - 1).repeat(200);
            write!(svg, "<!ENTITY l{level} '{values}'>").unwrap();
        }
        svg + "]>" + &document("<desc>&l7;</desc>")
    };
    let uses = chain(
        9,
        |level, content| format!("<g id='a{level}'>{content}</g>"),
        |level| format!("<use href='#a{level}'/>"),
    );
    let masks = chain(
        9,
        |level, content| format!("<mask id='a{level}'>{content}</mask>"),
        |level| format!("<rect width='9' height='9' mask='url(#a{level})'/>"),
    ) + "<mask id='a9'><rect width='9' height='9'/></mask><rect width='9' height='9' mask='url(#a0)'/>";
    let patterns = chain(
        9,
        |level, content| format!("<pattern id='a{level}' width='1' height='1'>{content}</pattern>"),
        |level| format!("<rect width='9' height='9' fill='url(#a{level})'/>"),
    ) + "<rect width='9' height='9' fill='url(#a0)'/>";
    let vertices = "h1v1".repeat(500);
    let markers = repeat(4, |level| {
        format!(
            "<marker id='a{level}'><path d='M0 0{vertices}' marker-mid='url(#a{})'/></marker>",
            level + 1
        )
    }) + &format!("<path d='M0 0{vertices}' marker-mid='url(#a0)'/>");
    let styled_markers = repeat(4, |level| {
        format!(
            "<style>.a{level}{{marker-mid:url(#a{})}}</style><marker id='a{level}'><path class='a{level}' d='M0 0{vertices}'/></marker>",
            level + 1
        )
    }) + &format!(
        "<style>.b {{ marker: url(#a0) }}</style><g class='b'><path d='M0 0{vertices}'/></g>"
    );
    let gradients = repeat(2000, |index| {
        format!(
            "<linearGradient id='g{index}' href='#g{}'><stop/></linearGradient><rect fill='url(#g{index})'/>",
            index + 1
        )
    });
    let stops = format!(
        "<linearGradient id='g'>{}</linearGradient>{}",
        "<stop/>".repeat(20_000),
        "<rect width='9' height='9' fill='url(#g)'/>".repeat(20_000),
    );
    let arcs = |radius: &str| {
        format!(
            "<path d='M0 0{}'/>",
            format!("a{radius} {radius} 0 1 1 1 1").repeat(1000)
        )
    };
    assert_refused(vec![
        ("entities", laughs, COMPLEX),
        ("one long entity", blowup, COMPLEX),
        ("cyclic entities", cyclic_entity, COMPLEX),
        ("empty entities", empty, COMPLEX),
        ("uses", document(&uses), COMPLEX),
        ("masks", document(&masks), COMPLEX),
        ("patterns", document(&patterns), COMPLEX),
        ("markers", document(&markers), COMPLEX),
        ("styled markers", document(&styled_markers), COMPLEX),
        ("a chain of gradients", document(&gradients), COMPLEX),
        ("stops", document(&stops), COMPLEX),
        ("huge arcs", document(&arcs("1e300")), COMPLEX),
        ("large arcs", document(&arcs("1e30")), COMPLEX),
        (
            "flat arcs",
            document(&format!(
                "<path d='M0 0{}'/>",
                "a1e-4 1e9 0 1 1 1e9 1".repeat(100_000)
            )),
            COMPLEX,
        ),
        ("a huge circle", document("<circle r='1e38'/>"), COMPLEX),
        (
            "font sizes",
            document(&format!(
                "{}<circle r='1em'/>{}",
                "<g font-size='1000em'>".repeat(13),
                "</g>".repeat(13)
            )),
            COMPLEX,
        ),
        (
            "percentages",
            document(&format!(
                "{}<circle r='100%'/>{}",
                "<svg width='1000%' height='1000%'>".repeat(36),
                "</svg>".repeat(36)
            )),
            COMPLEX,
        ),
        ("elements", document(&"<g/>".repeat(500_000)), COMPLEX),
        ("a long file", document(&" ".repeat(17 << 20)), COMPLEX),
    ]);
}

#[test]
fn refuses_cycles() {
    assert_refused(vec![
        ("use", document("<g id='a'><use href='#a'/></g>"), RECURSIVE),
        (
            "use of use",
            document("<use id='a' href='#b'/><use id='b' href='#a'/>"),
            RECURSIVE,
        ),
        (
            "pattern of itself",
            document("<pattern id='a' width='1' height='1'><rect fill='url(#a)'/></pattern>"),
            RECURSIVE,
        ),
        (
            "pattern and mask",
            document(
                "<pattern id='a' width='1' height='1'><rect width='1' height='1' mask='url(#b)'/></pattern>\
                 <mask id='b'><rect width='1' height='1' fill='url(#a)'/></mask>\
                 <rect width='1' height='1' fill='url(#a)'/>",
            ),
            RECURSIVE,
        ),
        (
            "by a style sheet",
            document("<style>rect { fill: url(#a) }</style><pattern id='a'><rect/></pattern>"),
            RECURSIVE,
        ),
        (
            "image of a filter",
            document(
                "<filter id='f'><feImage href='#r'/></filter><rect id='r' filter='url(#f)' width='1' height='1'/>",
            ),
            RECURSIVE,
        ),
        (
            "gradient",
            document("<linearGradient id='a' href='#a'/>"),
            RECURSIVE,
        ),
    ]);
}

#[test]
fn refuses_slow_parsing() {
    let attributes = repeat(100_000, |index| format!(" a{index}=''"));
    let prefixes = repeat(10, |element| {
        let names = repeat(100, |index| format!(" xmlns:a{element}x{index}='b'"));
        format!("<g{names}/>")
    });
    let selectors = repeat(4000, |index| format!("a{index},"));
    let declarations = repeat(4000, |_| "fill:red;".to_owned());
    let descendants = "* ".repeat(60);
    assert_refused(vec![
        (
            "attributes",
            document(&format!("<g{attributes}/>")),
            COMPLEX,
        ),
        ("prefixes", document(&prefixes), COMPLEX),
        (
            "selectors",
            document(&format!("<style>{selectors}b{{{declarations}}}</style>")),
            COMPLEX,
        ),
        (
            "descendants",
            document(&format!(
                "<style>a {descendants}{{fill:red}}</style>{}{}",
                "<g>".repeat(80),
                "</g>".repeat(80)
            )),
            COMPLEX,
        ),
        (
            "rules",
            document(&format!(
                "<style>{}</style>{}",
                repeat(10_000, |index| format!(".a{index}{{fill:red}}")),
                "<g/>".repeat(50_000)
            )),
            COMPLEX,
        ),
        (
            "a long style sheet",
            document(&format!("<style>{}</style>", "a b{c ".repeat(100_000))),
            COMPLEX,
        ),
    ]);
}

#[test]
fn refuses_deep_nesting() {
    let nest = |tag: &str, depth: usize| {
        let name = tag.split(' ').next().unwrap();
        document(&format!(
            "{}{}",
            format!("<{tag}>").repeat(depth),
            format!("</{name}>").repeat(depth)
        ))
    };
    let chained = repeat(1000, |index| {
        format!(
            "<clipPath id='a{index}' clip-path='url(#a{})'><rect width='1' height='1'/></clipPath>",
            index + 1
        )
    });
    let uses = repeat(1000, |index| {
        format!("<g id='a{index}'><use href='#a{}'/></g>", index + 1)
    });
    assert_refused(vec![
        ("groups", nest("g", 1000), COMPLEX),
        ("many groups", nest("g", 300_000 / 2), COMPLEX),
        ("documents", nest("svg width='9' height='9'", 1000), COMPLEX),
        ("unknown elements", nest("a", 100_000), COMPLEX),
        ("clips", document(&chained), COMPLEX),
        ("uses", document(&uses), COMPLEX),
    ]);
}

#[test]
fn draws_nested_elements_on_a_small_stack() {
    let cases = [
        ("<g opacity='0.99'>", "</g>"),
        ("<svg width='99' height='99'>", "</svg>"),
        ("<switch><g>", "</g></switch>"),
        ("<a>", "</a>"),
    ];
    on_small_stack(move || {
        for (start, end) in cases {
            let levels = if start.contains("switch") { 45 } else { 90 };
            let content = "<rect width='1' height='1'/>";
            let svg = document(&format!(
                "{}{content}{}",
                start.repeat(levels),
                end.repeat(levels)
            ));
            decode(&svg).unwrap();
        }
        let uses = repeat(30, |index| {
            format!(
                "<symbol id='a{index}' viewBox='0 0 9 9'><use href='#a{}' width='9' height='9'/></symbol>",
                index + 1
            )
        });
        let shape = "<rect id='a30' width='1' height='1'/><use href='#a0'/>";
        decode(&document(&(uses + shape))).unwrap();
    });
}

#[test]
fn refuses_slow_drawing() {
    let full = "<rect width='100' height='100' fill='url(#g)'/>";
    let gradient =
        "<linearGradient id='g'><stop/><stop offset='1' stop-color='red'/></linearGradient>";
    let zigzag = format!("<path d='M0 0{}'/>", "L0 100L1 0".repeat(200_000));
    let crossing = {
        let mut seed = fastrand::Rng::with_seed(7);
        let lines = repeat(100_000, |_| {
            format!("L{} {}", seed.u32(0..100), seed.u32(0..100))
        });
        format!("<path fill-rule='evenodd' d='M0 0{lines}'/>")
    };
    let filter = |primitive: &str| {
        document(&format!(
            "<filter id='f'>{primitive}</filter><rect width='100' height='100' filter='url(#f)'/>"
        ))
    };
    let dashes =
        "<path d='M0 0h100' stroke='red' stroke-dasharray='0.0002' stroke-linecap='round'/>";
    let thick = format!(
        "<path d='M0 0{}' fill='none' stroke='red' stroke-width='50' stroke-linejoin='round'/>",
        "l1 1l-1 .5".repeat(50_000)
    );
    let tile = "<pattern id='g' width='9999999' height='9999999' patternUnits='userSpaceOnUse'><rect width='1' height='1'/></pattern>";
    assert_refused(vec![
        (
            "full shapes",
            document(&format!("{gradient}{}", full.repeat(5000))),
            COMPLEX,
        ),
        (
            "layers",
            document(&"<g opacity='0.5'><rect width='500' height='500'/></g>".repeat(200)),
            COMPLEX,
        ),
        ("tall lines", document(&zigzag), COMPLEX),
        ("crossing lines", document(&crossing), COMPLEX),
        ("dashes", document(&dashes.repeat(20)), COMPLEX),
        ("thick lines", document(&thick), COMPLEX),
        ("a tile", document(&format!("{tile}{full}")), COMPLEX),
        (
            "noise",
            filter("<feTurbulence baseFrequency='1' numOctaves='9999'/>"),
            COMPLEX,
        ),
        ("morphology", filter("<feMorphology radius='40'/>"), COMPLEX),
        (
            "matrix",
            filter(&format!(
                "<feConvolveMatrix order='99' kernelMatrix='{}'/>",
                "1 ".repeat(99 * 99)
            )),
            COMPLEX,
        ),
        (
            "blurs",
            filter(&"<feGaussianBlur stdDeviation='5'/>".repeat(100)),
            COMPLEX,
        ),
        (
            "a huge blur",
            filter("<feGaussianBlur stdDeviation='1e9'/>"),
            COMPLEX,
        ),
        (
            "a far shadow",
            filter("<feDropShadow dx='1e20' dy='0'/>"),
            COMPLEX,
        ),
        (
            "a huge region",
            filter("<feFlood x='-1e15' width='3e15' height='1e15'/>"),
            COMPLEX,
        ),
    ]);
}

#[test]
fn refuses_large_canvases() {
    let nested = |levels: usize| {
        let start = "<g opacity='0.5'><rect x='-300' y='-300' width='900' height='900'/>";
        document(&format!(
            "{}{}",
            start.repeat(levels),
            "</g>".repeat(levels)
        ))
    };
    let memory = "decoding the image needs about ";
    assert_refused(vec![("nested layers", nested(2), memory)]);
}
