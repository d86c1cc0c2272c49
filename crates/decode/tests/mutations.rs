//! Changed files: no decoder panics, because WebAssembly cannot catch panics.

mod support;

use decode::{CRASHED, DecodeError};
use support::*;

/// How many files are made of each file.
const ROUNDS: usize = 400;

/// Of these, changed files make the decoder panic (image-webp 0.2.4 in four places, for lossy images;
/// see <https://github.com/image-rs/image-webp/issues/182>).
const PANICKING: [&str; 1] = ["zero-width-frame.webp"];

#[test]
fn no_decoder_panics_on_changed_files() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    let mut rng = fastrand::Rng::with_seed(20);
    let mut files = Vec::new();
    for folder in [fixtures.to_owned(), format!("{fixtures}/pictures")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_image = contract::ImageFormat::detect(&std::fs::read(&path).unwrap_or_default());
            if is_image.is_some() && !PANICKING.contains(&&*name) {
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    let table = table_profile(b"RGB ", 3, [0x7f80, 0x8000, 0x8000]);
    let jpeg = files.iter().find(|(name, _)| name == "icc_p3.jpg").unwrap();
    files.push(("table.jpg".into(), jpeg_with_profile(&jpeg.1, &table)));
    assert!(files.len() > 10);
    for (name, file) in &files {
        for round in 0..ROUNDS {
            let changed = changed(file, &mut rng);
            if let Err(DecodeError::Faulty {
                reason: CRASHED, ..
            }) = decode(&changed)
            {
                panic!("{name}, round {round}: the decoder panicked");
            }
        }
    }
}

/// Changes some bytes, mostly of the first ones, and sometimes cuts the file.
fn changed(file: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    const HEADER: usize = 600;
    let mut changed = file.to_vec();
    for _ in 0..rng.usize(1..6) {
        let end = if rng.bool() {
            changed.len()
        } else {
            changed.len().min(HEADER)
        };
        let at = rng.usize(0..end);
        match rng.u8(0..4) {
            0 => changed[at] = rng.u8(..),
            1 => changed[at] ^= 1 << rng.u8(0..8),
            2 => changed[at] = rng.choice([0, 1, 0x7f, 0x80, 0xff]).unwrap(),
            _ => {
                for byte in changed.iter_mut().skip(at).take(4) {
                    *byte = 0xff;
                }
            }
        }
    }
    if rng.u8(0..8) == 0 {
        changed.truncate(rng.usize(1..changed.len()));
    }
    changed
}
