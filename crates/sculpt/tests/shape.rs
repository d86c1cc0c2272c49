//! The model has the picture's shape.

mod support;

use std::ops::ControlFlow;

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use support::*;

/// The part of a picture with an alpha channel that is opaque.
fn opaque(picture: &RgbaImage) -> RgbaImage {
    let is_opaque = |pixel: &Rgba<u8>| pixel[3] > 127;
    let covered: Vec<_> = picture
        .enumerate_pixels()
        .filter(|(_, _, pixel)| is_opaque(pixel))
        .collect();
    let left = covered.iter().map(|(x, ..)| *x).min().unwrap();
    let right = covered.iter().map(|(x, ..)| *x).max().unwrap();
    let top = covered.iter().map(|(_, y, _)| *y).min().unwrap();
    let bottom = covered.iter().map(|(_, y, _)| *y).max().unwrap();
    image::imageops::crop_imm(picture, left, top, right - left + 1, bottom - top + 1).to_image()
}

/// How far each covered pixel is from the nearest one that is not, in pixels.
fn distances(covered: &[bool], width: usize) -> Vec<f32> {
    let height = covered.len() / width;
    let is_covered = |x: isize, y: isize| {
        let inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
        inside && covered[y as usize * width + x as usize]
    };
    let mut outside = Vec::new();
    for y in -1..=height as isize {
        for x in -1..=width as isize {
            let beside = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
            if !is_covered(x, y) && beside.iter().any(|(x, y)| is_covered(*x, *y)) {
                outside.push((x as f32, y as f32));
            }
        }
    }
    (0..covered.len())
        .map(|at| {
            let (x, y) = ((at % width) as f32, (at / width) as f32);
            if !covered[at] {
                return 0.0;
            }
            let squares = outside
                .iter()
                .map(|(ox, oy)| (ox - x).powi(2) + (oy - y).powi(2));
            squares.fold(f32::MAX, f32::min).sqrt()
        })
        .collect()
}

/// Each value's place in the request of all of them; equal ones share the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut request: Vec<_> = (0..values.len()).collect();
    request.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in request.chunk_by(|a, b| values[*a] == values[*b]) {
        let first = request.iter().position(|at| at == &equal[0]).unwrap();
        for at in equal {
            ranks[*at] = first as f64 + (equal.len() - 1) as f64 / 2.0;
        }
    }
    ranks
}

fn spearman(a: &[f32], b: &[f32]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() - 1) as f64 / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn the_outline_is_the_pictures_and_what_is_far_from_it_is_thick() {
    for name in &SAMPLES[..3] {
        let picture = opaque(&sample(name).to_rgba8());
        let glb = sculpt(&sample(name), &textured()).unwrap();
        let model = Model::read(&glb);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let depths = model.depths(width, height);
        let covered: Vec<bool> = picture.pixels().map(|pixel| pixel[3] > 127).collect();
        let both = depths
            .iter()
            .zip(&covered)
            .filter(|(depth, is)| depth.is_some() && **is)
            .count();
        let either = depths
            .iter()
            .zip(&covered)
            .filter(|(depth, is)| depth.is_some() || **is)
            .count();
        let iou = both as f64 / either as f64;
        let distances = distances(&covered, width);
        let (thick, far): (Vec<f32>, Vec<f32>) = depths
            .iter()
            .zip(distances)
            .filter_map(|(depth, distance)| depth.map(|(front, back)| (front - back, distance)))
            .unzip();
        let correlation = spearman(&thick, &far);
        println!("{name}: IoU {iou:.4}, thickness and distance to the edge {correlation:.3}");
        assert!(iou >= 0.95, "{name}: IoU {iou}");
        assert!(correlation >= 0.8, "{name}: correlation {correlation}");
    }
}

/// A disc on a clear ground.
fn disc(edge: u32, radius: f32) -> DynamicImage {
    let middle = edge as f32 / 2.0;
    RgbaImage::from_fn(edge, edge, |x, y| {
        let distance = (x as f32 + 0.5 - middle).hypot(y as f32 + 0.5 - middle);
        let opacity = (radius - distance + 0.5).clamp(0.0, 1.0);
        Rgba([200, 80, 40, (255.0 * opacity) as u8])
    })
    .into()
}

#[test]
fn a_disc_becomes_an_ellipsoid() {
    // ∇²h = -4 has h = r² - x² - y² there, and the half axis is a fixed part of the radius.
    let model = Model::read(&sculpt(&disc(200, 80.0), &textured()).unwrap());
    let [width, height, depth] = model.size();
    assert!((width - 1.0).abs() < 1e-6 && (height - 1.0).abs() < 0.01);
    for [x, y, z] in &model.positions {
        let radius = x * x + y * y + (z / depth).powi(2);
        assert!((radius - 0.25).abs() < 0.01, "{x} {y} {z}: {radius}");
    }
    assert!((depth - 0.8).abs() < 0.01, "{depth}");
}

#[test]
fn the_work_of_the_solver_is_done_on_large_shapes_too() {
    // A long strip has h = 2 (r² - x²) away from its ends, whatever its length.
    let strip = RgbaImage::from_fn(400, 60, |_, y| {
        Rgba([20, 120, 200, if (10..50).contains(&y) { 255 } else { 0 }])
    });
    let model = Model::read(&sculpt(&strip.into(), &textured()).unwrap());
    let thickest = model.size()[2];
    // In units of the strip's length.
    let expected = 2.0 * 0.8 * (2.0f32).sqrt() * 20.0 / 400.0;
    assert!(
        (thickest / expected - 1.0).abs() < 0.03,
        "{thickest} {expected}"
    );
}

/// A dark shape on a light ground with noise and a soft shadow, as a photo is.
fn photo(shape: impl Fn(f32, f32) -> bool) -> DynamicImage {
    let mut seed = 1u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as f32 / 255.0 * 12.0 - 6.0
    };
    let mut photo = RgbImage::new(400, 300);
    for y in 0..300 {
        for x in 0..400 {
            let shadow =
                (1.0 - ((x as f32 - 210.0) / 120.0).hypot((y as f32 - 240.0) / 25.0)).max(0.0);
            let ground = 240.0 - 25.0 * y as f32 / 300.0 - 30.0 * shadow;
            let colour = match shape(x as f32, y as f32) {
                true => [40.0, 90.0, 170.0],
                false => [ground; 3],
            };
            let colour = colour.map(|part| (part + noise()) as u8);
            photo.put_pixel(x, y, Rgb(colour));
        }
    }
    photo.into()
}

#[test]
fn an_object_on_a_plain_ground_is_found() {
    let shape = |x: f32, y: f32| (x - 200.0).hypot(y - 150.0) < 90.0 && !(x > 200.0 && y > 150.0);
    let model = Model::read(&sculpt(&photo(shape), &textured()).unwrap());
    let depths = model.depths(180, 180);
    let mut agreeing = 0;
    for (at, depth) in depths.iter().enumerate() {
        let (x, y) = ((at % 180) as f32 + 110.5, (at / 180) as f32 + 60.5);
        agreeing += usize::from(depth.is_some() == shape(x, y));
    }
    let part = agreeing as f64 / depths.len() as f64;
    println!("an object on a plain ground: {part:.4} of its box agree");
    assert!(part > 0.97, "{part}");
}

#[test]
fn specks_go_holes_are_filled_and_a_second_object_stays() {
    let shape = |x: f32, y: f32| {
        let body = (x - 130.0).hypot(y - 140.0) < 70.0;
        // A hole of the ground's colour, which the ground does not reach.
        let hole = (x - 130.0).hypot(y - 140.0) < 20.0;
        let second = (x - 300.0).hypot(y - 150.0) < 35.0;
        let speck = (x - 350.0).hypot(y - 40.0) < 4.0;
        (body && !hole) || second || speck
    };
    let model = Model::read(&sculpt(&photo(shape), &textured()).unwrap());
    let [width, height, _] = model.size();
    // From the left edge of the body to the right edge of the second object.
    assert!(
        (height / width - 140.0 / 275.0).abs() < 0.02,
        "{height} {width}"
    );
    let depths = model.depths(275, 140);
    assert!(depths[70 * 275 + 70].is_some(), "the hole is filled");
    assert!(
        depths[80 * 275 + 240].is_some(),
        "the second object is there"
    );
}

#[test]
fn where_nothing_stands_out_the_whole_picture_becomes_a_relief() {
    let ramp = GrayImage::from_fn(300, 200, |x, y| Luma([((x * 7 + y * 13) % 256) as u8]));
    for picture in [sample("chelsea.png"), ramp.into()] {
        let model = Model::read(&sculpt(&picture, &textured()).unwrap());
        let [width, height, depth] = model.size();
        let proportion = picture.height() as f32 / picture.width() as f32;
        assert!((height / width - proportion).abs() < 0.01);
        assert!(depth < 0.15);
        assert!(model.depths(60, 40).iter().all(Option::is_some));
    }
}

#[test]
fn nothing_of_the_background_shows_on_the_rim() {
    // A red disc on a green ground; its edge pixels are mixtures.
    let picture = RgbImage::from_fn(300, 300, |x, y| {
        let distance = (x as f32 - 149.5).hypot(y as f32 - 149.5);
        let part = (100.0 - distance + 0.5).clamp(0.0, 1.0);
        Rgb([
            (30.0 + 190.0 * part) as u8,
            (200.0 - 170.0 * part) as u8,
            40,
        ])
    });
    let clear = RgbaImage::from_fn(300, 300, |x, y| {
        let distance = (x as f32 - 149.5).hypot(y as f32 - 149.5);
        // As bad pictures have it: the ground's colour in the half transparent pixels.
        let part = (100.0 - distance + 0.5).clamp(0.0, 1.0);
        let Rgb([red, green, blue]) = *picture.get_pixel(x, y);
        Rgba([red, green, blue, (255.0 * part) as u8])
    });
    for picture in [picture.into(), clear.into()] {
        let texture = Model::read(&sculpt(&picture, &textured()).unwrap())
            .texture
            .unwrap();
        let greenish = texture.pixels().filter(|pixel| pixel[1] > 90).count();
        assert_eq!(greenish, 0, "of {}", texture.pixels().len());
    }
}

#[test]
fn each_view_shows_the_model_from_its_side_and_no_two_are_alike() {
    let picture = sample("turtle.webp");
    let views =
        sculpt::render_views(&picture, &textured(), &mut |_| ControlFlow::Continue(())).unwrap();
    let views = views.map(|png| image::load_from_memory(&png).unwrap().to_rgba8());
    let covers = |view: &RgbaImage| view.pixels().filter(|pixel| pixel[3] > 127).count();
    for (at, view) in views.iter().enumerate() {
        assert_eq!(view.dimensions(), (512, 512));
        assert!(covers(view) > 30_000, "view {at} is empty");
        assert!(!views[..at].contains(view));
    }
    // From behind it is the front's mirror image.
    let mirrored = image::imageops::flip_horizontal(&views[2]);
    let same = mirrored
        .pixels()
        .zip(views[0].pixels())
        .filter(|(a, b)| (a[3] > 127) == (b[3] > 127));
    assert!(same.count() > 510 * 512);
}

#[test]
fn nobody_waits_for_a_model_that_nobody_wants() {
    let picture = sample("turtle.webp");
    for stop in [0.0, 0.3, 0.9] {
        let request = sculpt::ModelRequest {
            picture: &picture,
            parameters: &textured(),
            detail: sculpt::Detail::Refined,
            view: 0,
        };
        let mut told = Vec::new();
        let made = sculpt::sculpt(&request, &mut |part| {
            told.push(part);
            if part >= stop {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(made, Err(sculpt::ModelError::Cancelled));
        assert!(told.is_sorted() && told.iter().filter(|part| **part >= stop).count() == 1);
    }
}
