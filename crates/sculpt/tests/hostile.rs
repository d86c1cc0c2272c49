//! Unusual images: each becomes a closed model, or there is a message.

mod support;

use contract::{Parameters, Resolution, Topology};
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use sculpt::{Detail, ModelError};
use support::*;

/// Returns an image that is black where it is covered, and transparent everywhere else.
fn stencil(width: u32, height: u32, covers: impl Fn(u32, u32) -> bool) -> DynamicImage {
    let pixel = |x, y| Rgba([30, 30, 30, if covers(x, y) { 255 } else { 0 }]);
    RgbaImage::from_fn(width, height, pixel).into()
}

fn from_middle(x: u32, y: u32) -> (f32, f32) {
    let (x, y) = (x as f32 - 99.5, y as f32 - 99.5);
    (x.hypot(y), y.atan2(x))
}

fn value_noise(x: u32, y: u32) -> u8 {
    let mut hash = x
        .wrapping_mul(374_761_393)
        .wrapping_add(y.wrapping_mul(668_265_263));
    hash = (hash ^ (hash >> 13)).wrapping_mul(1_274_126_177);
    (hash >> 16) as u8
}

/// Tests that an image becomes a closed model, one test for each image.
macro_rules! becomes_a_closed_model {
    ($($name:ident: $image:expr;)*) => {
        mod becomes_a_closed_model {
            use super::*;

            $(
                #[test]
                fn $name() {
                    assert_closed_in_every_form(stringify!($name), &$image.into());
                }
            )*
        }
    };
}

becomes_a_closed_model! {
    one_pixel: RgbImage::from_pixel(1, 1, Rgb([200, 30, 30]));
    two_pixels_one_transparent: stencil(2, 1, |x, _| x == 0);
    row_of_pixels: RgbImage::from_fn(3000, 1, |x, _| Rgb([(x % 256) as u8, 9, 9]));
    column_of_pixels: RgbImage::from_fn(1, 3000, |_, y| Rgb([9, (y % 256) as u8, 9]));
    one_color: RgbImage::from_pixel(100, 100, Rgb([40, 90, 160]));
    white: RgbImage::from_pixel(90, 60, Rgb([255; 3]));
    gray: GrayImage::from_fn(70, 70, |x, y| Luma([value_noise(x / 9, y / 9)]));
    gray_with_alpha: GrayAlphaImage::from_fn(70, 70, |x, y| {
        LumaA([value_noise(x, y), if x > y { 255 } else { 0 }])
    });
    sixteen_bits: ImageBuffer::<Rgb<u16>, _>::from_fn(80, 80, |x, y| {
        Rgb([(x * 800) as u16, (y * 800) as u16, 60_000])
    });
    sixteen_bits_with_alpha: ImageBuffer::<Rgba<u16>, _>::from_fn(80, 80, |x, y| {
        Rgba([50_000, 20_000, 10_000, if x > 20 && y > 30 { 65_535 } else { 0 }])
    });
    floats_with_nan: ImageBuffer::<Rgb<f32>, _>::from_fn(40, 40, |x, _| {
        Rgb([x as f32 / 10.0, -1.0, f32::NAN])
    });
    noise: RgbImage::from_fn(200, 150, |x, y| {
        Rgb([value_noise(x, y), value_noise(y, x), value_noise(x + 7, y)])
    });
    noise_in_alpha: RgbaImage::from_fn(200, 150, |x, y| Rgba([99, 99, 9, value_noise(x, y)]));
    line_one_pixel_high: stencil(200, 200, |_, y| y == 100);
    line_one_pixel_wide: stencil(200, 200, |x, _| x == 100);
    diagonal_line: stencil(200, 200, |x, y| x.abs_diff(y) < 2);
    one_opaque_pixel: stencil(500, 500, |x, y| (x, y) == (250, 250));
    one_transparent_row: stencil(50, 50, |_, y| y != 25);
    checkerboard: RgbImage::from_fn(256, 256, |x, y| {
        Rgb([if (x + y) % 2 == 0 { 255 } else { 0 }; 3])
    });
    checkerboard_of_transparent_fields: stencil(256, 256, |x, y| (x / 8 + y / 8) % 2 == 0);
    checkerboard_of_large_transparent_fields: stencil(64, 64, |x, y| (x / 32 + y / 32) % 2 == 0);
    rings_in_rings: stencil(200, 200, |x, y| from_middle(x, y).0 as u32 % 20 < 10);
    spiral: stencil(200, 200, |x, y| {
        let (radius, angle) = from_middle(x, y);
        (radius - 3.0 * angle).rem_euclid(19.0) < 7.0
    });
    star_of_thin_rays: stencil(200, 200, |x, y| (from_middle(x, y).1 * 20.0).sin() > 0.0);
    comb: stencil(200, 200, |x, y| y > 150 || x % 4 < 2);
    thousand_dots: stencil(320, 320, |x, y| {
        ((x % 10) as f32 - 4.5).hypot((y % 10) as f32 - 4.5) < 3.0
    });
    frame_to_the_edges: stencil(120, 90, |x, y| x < 10 || y < 10 || x > 109 || y > 79);
    frame_around_a_dot: stencil(200, 200, |x, y| {
        let (radius, _) = from_middle(x, y);
        !(20.0..80.0).contains(&radius)
    });
    touching_corners: stencil(100, 100, |x, y| (x < 50) == (y < 50));
    half_transparent_on_transparent: RgbaImage::from_fn(100, 100, |x, y| {
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
    });
    soft_edge: RgbaImage::from_fn(200, 200, |x, y| {
        Rgba([
            250,
            200,
            50,
            (255.0 - 3.0 * from_middle(x, y).0).max(0.0) as u8,
        ])
    });
    all_but_a_corner: stencil(100, 100, |x, y| x + y > 20);
}

fn assert_closed_in_every_form(name: &str, image: &DynamicImage) {
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
        let label = format!("{name}, {resolution:?}, {topology:?}");
        let glb = match sculpt(image, &parameters) {
            Ok(glb) => glb,
            Err(error) => panic!("{label}: {error}"),
        };
        let model = Model::read(&glb);
        model.assert_solid(&label);
        let (faces, size) = (model.triangles.len(), model.size());
        assert!(faces <= 200_000, "{label}: {faces}");
        assert!(size.iter().all(|edge| *edge > 0.0), "{label}: {size:?}");
        for normal in &model.normals {
            let length = normal.iter().map(|x| x * x).sum::<f32>();
            assert!((length - 1.0).abs() < 1e-4, "{label}: {normal:?}");
        }
        if (resolution, topology) == (Resolution::HighPoly, Topology::Tris) {
            println!("{name}: {faces} faces");
            keep(name, &glb);
        }
    }
}

fn assert_transparent(image: DynamicImage) {
    let message = "The image is fully transparent: expected an image with a visible object";
    let error = sculpt(&image, &textured()).unwrap_err();
    assert_eq!(error, ModelError::Failed(message.into()));
}

#[test]
fn rejects_a_transparent_image() {
    assert_transparent(stencil(50, 50, |_, _| false));
}

#[test]
fn rejects_a_nearly_transparent_image() {
    assert_transparent(RgbaImage::from_pixel(50, 50, Rgba([1, 2, 3, 100])).into());
}

#[test]
fn makes_or_rejects_fields_of_one_pixel() {
    // Fields this small, each transparent or not, are more than a grid can show.
    let fine = stencil(256, 256, |x, y| (x + y) % 2 == 0);
    match sculpt(&fine, &textured()) {
        Ok(glb) => Model::read(&glb).assert_solid("fields of one pixel"),
        Err(error) => assert_eq!(
            error.to_string(),
            "The object in the image is too small or too fine for a 3D model"
        ),
    }
}

#[test]
fn makes_closed_models_of_the_samples() {
    for name in SAMPLES {
        for (detail, label) in [(Detail::Preview, "preview"), (Detail::Refined, "refined")] {
            let glb = sculpt_at(&sample(name), &textured(), detail).unwrap();
            Model::read(&glb).assert_solid(name);
            let stem = name.split('.').next().unwrap();
            keep(&format!("{stem}-{label}"), &glb);
        }
    }
}
