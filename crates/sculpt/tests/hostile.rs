//! Pictures that nobody expects: each becomes a sound model, or there is a reason in words.

mod support;

use contract::{Parameters, Resolution, Topology};
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use sculpt::ModelError;
use support::*;

type Case = (&'static str, DynamicImage);

/// Black where it is covered, and clear elsewhere.
fn stencil(width: u32, height: u32, covers: impl Fn(u32, u32) -> bool) -> DynamicImage {
    let pixel = |x, y| Rgba([30, 30, 30, if covers(x, y) { 255 } else { 0 }]);
    RgbaImage::from_fn(width, height, pixel).into()
}

fn from_middle(x: u32, y: u32) -> (f32, f32) {
    let (x, y) = (x as f32 - 99.5, y as f32 - 99.5);
    (x.hypot(y), y.atan2(x))
}

fn noise(x: u32, y: u32) -> u8 {
    let mut hash = x
        .wrapping_mul(374_761_393)
        .wrapping_add(y.wrapping_mul(668_265_263));
    hash = (hash ^ (hash >> 13)).wrapping_mul(1_274_126_177);
    (hash >> 16) as u8
}

/// Those that a model can be made of.
fn possible() -> Vec<Case> {
    let white = RgbImage::from_pixel(90, 60, Rgb([255; 3]));
    let deep = ImageBuffer::<Rgb<u16>, _>::from_fn(80, 80, |x, y| {
        Rgb([(x * 800) as u16, (y * 800) as u16, 60_000])
    });
    let deep_clear = ImageBuffer::<Rgba<u16>, _>::from_fn(80, 80, |x, y| {
        Rgba([
            50_000,
            20_000,
            10_000,
            if x > 20 && y > 30 { 65_535 } else { 0 },
        ])
    });
    let float =
        ImageBuffer::<Rgb<f32>, _>::from_fn(40, 40, |x, _| Rgb([x as f32 / 10.0, -1.0, f32::NAN]));
    vec![
        (
            "one pixel",
            RgbImage::from_pixel(1, 1, Rgb([200, 30, 30])).into(),
        ),
        (
            "two pixels, one of them clear",
            stencil(2, 1, |x, _| x == 0),
        ),
        (
            "a row of pixels",
            RgbImage::from_fn(3000, 1, |x, _| Rgb([(x % 256) as u8, 9, 9])).into(),
        ),
        (
            "a column of pixels",
            RgbImage::from_fn(1, 3000, |_, y| Rgb([9, (y % 256) as u8, 9])).into(),
        ),
        (
            "one colour",
            RgbImage::from_pixel(100, 100, Rgb([40, 90, 160])).into(),
        ),
        ("white", white.into()),
        (
            "black and grey alone",
            GrayImage::from_fn(70, 70, |x, y| Luma([noise(x / 9, y / 9)])).into(),
        ),
        (
            "grey with an alpha channel",
            GrayAlphaImage::from_fn(70, 70, |x, y| {
                LumaA([noise(x, y), if x > y { 255 } else { 0 }])
            })
            .into(),
        ),
        ("16 bits", deep.into()),
        ("16 bits with an alpha channel", deep_clear.into()),
        ("floats, some of them no numbers", float.into()),
        (
            "noise",
            RgbImage::from_fn(200, 150, |x, y| {
                Rgb([noise(x, y), noise(y, x), noise(x + 7, y)])
            })
            .into(),
        ),
        (
            "noise in the alpha channel",
            RgbaImage::from_fn(200, 150, |x, y| Rgba([99, 99, 9, noise(x, y)])).into(),
        ),
        ("a line one pixel high", stencil(200, 200, |_, y| y == 100)),
        ("a line one pixel wide", stencil(200, 200, |x, _| x == 100)),
        (
            "a diagonal line",
            stencil(200, 200, |x, y| x.abs_diff(y) < 2),
        ),
        (
            "one opaque pixel",
            stencil(500, 500, |x, y| (x, y) == (250, 250)),
        ),
        ("one clear row", stencil(50, 50, |_, y| y != 25)),
        (
            "a checkerboard",
            RgbImage::from_fn(256, 256, |x, y| {
                Rgb([if (x + y) % 2 == 0 { 255 } else { 0 }; 3])
            })
            .into(),
        ),
        (
            "a checkerboard of clear fields",
            stencil(256, 256, |x, y| (x / 8 + y / 8) % 2 == 0),
        ),
        (
            "a checkerboard of large clear fields",
            stencil(64, 64, |x, y| (x / 32 + y / 32) % 2 == 0),
        ),
        (
            "rings in rings",
            stencil(200, 200, |x, y| from_middle(x, y).0 as u32 % 20 < 10),
        ),
        (
            "a spiral",
            stencil(200, 200, |x, y| {
                let (radius, angle) = from_middle(x, y);
                (radius - 3.0 * angle).rem_euclid(19.0) < 7.0
            }),
        ),
        (
            "a star of thin rays",
            stencil(200, 200, |x, y| (from_middle(x, y).1 * 20.0).sin() > 0.0),
        ),
        ("a comb", stencil(200, 200, |x, y| y > 150 || x % 4 < 2)),
        (
            "a thousand dots",
            stencil(320, 320, |x, y| {
                ((x % 10) as f32 - 4.5).hypot((y % 10) as f32 - 4.5) < 3.0
            }),
        ),
        (
            "a frame to the edges",
            stencil(120, 90, |x, y| x < 10 || y < 10 || x > 109 || y > 79),
        ),
        (
            "a frame around a dot",
            stencil(200, 200, |x, y| {
                let (radius, _) = from_middle(x, y);
                !(20.0..80.0).contains(&radius)
            }),
        ),
        (
            "corners that touch",
            stencil(100, 100, |x, y| (x < 50) == (y < 50)),
        ),
        (
            "half transparent all over, and clear around",
            RgbaImage::from_fn(100, 100, |x, y| {
                Rgba([
                    90,
                    140,
                    200,
                    if from_middle(x + 50, y + 50).0 < 40.0 {
                        140
                    } else {
                        0
                    },
                ])
            })
            .into(),
        ),
        (
            "a soft edge",
            RgbaImage::from_fn(200, 200, |x, y| {
                Rgba([
                    250,
                    200,
                    50,
                    (255.0 - 3.0 * from_middle(x, y).0).max(0.0) as u8,
                ])
            })
            .into(),
        ),
        (
            "a cluster that fills all but a corner",
            stencil(100, 100, |x, y| x + y > 20),
        ),
    ]
}

#[test]
fn each_becomes_a_sound_model_in_every_way() {
    for (name, picture) in possible() {
        for (resolution, topology) in [
            (Resolution::HighPoly, Topology::Tris),
            (Resolution::HighPoly, Topology::Quads),
            (Resolution::LowPoly, Topology::Tris),
            (Resolution::LowPoly, Topology::Quads),
        ] {
            let parameters = Parameters {
                resolution: Some(resolution),
                topology: Some(topology),
                ..textured()
            };
            let words = format!("{name}, {resolution:?}, {topology:?}");
            let glb = match sculpt(&picture, &parameters) {
                Ok(glb) => glb,
                Err(stopped) => panic!("{words}: {stopped:?}"),
            };
            let model = Model::read(&glb);
            model.assert_solid(&words);
            let (faces, size) = (model.triangles.len(), model.size());
            assert!(faces <= 200_000, "{words}: {faces}");
            assert!(size.iter().all(|edge| *edge > 0.0), "{words}: {size:?}");
            for normal in &model.normals {
                let length = normal.iter().map(|x| x * x).sum::<f32>();
                assert!((length - 1.0).abs() < 1e-4, "{words}: {normal:?}");
            }
            if (resolution, topology) == (Resolution::HighPoly, Topology::Tris) {
                println!("{name}: {faces} faces");
                keep(&name.replace([' ', ','], "-"), &glb);
            }
        }
    }
}

#[test]
fn where_there_is_nothing_that_is_said() {
    for (name, picture) in [
        ("clear all over", stencil(50, 50, |_, _| false)),
        (
            "nearly clear all over",
            RgbaImage::from_pixel(50, 50, Rgba([1, 2, 3, 100])).into(),
        ),
    ] {
        match sculpt(&picture, &textured()) {
            Err(ModelError::Failed(reason)) => assert!(reason.contains("transparent"), "{reason}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    // Fields of one pixel, each clear or not, are more than a grid can show.
    let fine = stencil(256, 256, |x, y| (x + y) % 2 == 0);
    match sculpt(&fine, &textured()) {
        Ok(glb) => Model::read(&glb).assert_solid("a fine checkerboard"),
        Err(ModelError::Failed(reason)) => assert!(reason.contains("too fine"), "{reason}"),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_samples_become_sound_models() {
    for name in SAMPLES {
        for (detail, words) in [
            (sculpt::Detail::Preview, "preview"),
            (sculpt::Detail::Refined, "refined"),
        ] {
            let glb = sculpt_at(&sample(name), &textured(), detail).unwrap();
            Model::read(&glb).assert_solid(name);
            keep(
                &format!("{}-{words}", name.split('.').next().unwrap()),
                &glb,
            );
        }
    }
}
