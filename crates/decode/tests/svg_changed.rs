//! Changed SVG files, which must not make the renderer panic.

use decode::{Decoder, Patience};

const FILE: &str = r##"<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY red "#f00">]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">
<style>.a{fill:url(#p);opacity:.5}#b>*{stroke-width:.2}</style>
<defs><linearGradient id="g"><stop offset="0.2" stop-color="&red;"/><stop offset="1"/></linearGradient>
<pattern id="p" width="2" height="2" patternUnits="userSpaceOnUse"><rect width="1" height="1" fill="url(#g)"/></pattern>
<clipPath id="c"><circle cx="4" cy="4" r="3"/></clipPath><mask id="m"><rect width="9" height="9" fill="#fff"/></mask>
<marker id="k" markerWidth="3" markerHeight="3"><path d="M0 0L2 1 0 2z"/></marker>
<filter id="f"><feGaussianBlur stdDeviation="0.1"/><feOffset dx="1" dy="1"/><feMorphology radius="0.01"/><feTile/></filter>
<filter id="h"><feTurbulence baseFrequency="0.1"/><feDisplacementMap in2="SourceGraphic" scale="2"/></filter>
<symbol id="s" viewBox="0 0 2 2"><ellipse rx="1" ry=".5"/></symbol></defs>
<g id="b" transform="rotate(5)"><path d="M0 0a2 1 20 1 1 3 1q1 1 2 0t1 1c1 1 2 2 3-1s1 1 2 2H8V9z" stroke="#00f" stroke-dasharray="1 .5" marker-mid="url(#k)"/></g>
<rect class="a" width="5" height="5" rx="1"/><use href="#s" x="2" width="3" height="3"/>
<g clip-path="url(#c)" mask="url(#m)"><polygon points="0,0 5,5 0,5" fill="url(#g)"/></g>
<circle r="2" filter="url(#f)"/><line x2="5" y2="4" stroke="red" filter="url(#h)"/>
<image width="3" height="3" href="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"/>
</svg>"##;

#[test]
fn changed_files_do_not_crash() {
    let parts = [
        "-", "e9", "0", "999999", ".", "1e38", "%", "url(#p)", "url(#m)", "<g>", "/>", "NaN", "'",
        "&red;", "em", "none", "\u{0}", "ä",
    ];
    let mut random = fastrand::Rng::with_seed(18);
    for _ in 0..40 {
        let mut file = FILE.as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(140..file.len());
            match random.u8(..3) {
                0 => file[at] = random.u8(32..127),
                1 => drop(file.drain(at..(at + random.usize(1..9)).min(file.len()))),
                _ => {
                    let part = parts[random.usize(..parts.len())].bytes();
                    drop(file.splice(at..at, part));
                }
            }
        }
        let image = Decoder::default().decode(&file, Patience::Request);
        if let Err(error) = image {
            let message = error.to_string();
            assert!(
                !message.contains("crashed"),
                "{}",
                String::from_utf8_lossy(&file)
            );
        }
    }
}
