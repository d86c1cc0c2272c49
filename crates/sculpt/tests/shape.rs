//! The model has the shape of the image.

mod support;

use std::ops::ControlFlow;

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use support::*;

/// Crops an image to its opaque part.
fn opaque(image: &RgbaImage) -> RgbaImage {
    let is_opaque = |pixel: &Rgba<u8>| pixel[3] > 127;
    let covered: Vec<_> = image
        .enumerate_pixels()
        .filter(|(_, _, pixel)| is_opaque(pixel))
        .collect();
    let left = covered.iter().map(|(x, ..)| *x).min().unwrap();
    let right = covered.iter().map(|(x, ..)| *x).max().unwrap();
    let top = covered.iter().map(|(_, y, _)| *y).min().unwrap();
    let bottom = covered.iter().map(|(_, y, _)| *y).max().unwrap();
    image::imageops::crop_imm(image, left, top, right - left + 1, bottom - top + 1).to_image()
}

/// Returns the distance of each covered pixel to the nearest one that is not covered, in pixels. What is
/// covered goes on below: there a model has its base, which is not thinner.
fn distances(covered: &[bool], width: usize) -> Vec<f32> {
    let height = covered.len() / width;
    let is_covered = |x: isize, y: isize| {
        let inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
        let below = y >= height as isize && (0..width as isize).contains(&x);
        let y = y.min(height as isize - 1);
        (inside || below) && covered[y as usize * width + x as usize]
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

/// Returns the rank of each value; equal values have the mean of their ranks.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<_> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let first = order.iter().position(|at| at == &equal[0]).unwrap();
        for at in equal {
            ranks[*at] = first as f64 + (equal.len() - 1) as f64 / 2.0;
        }
    }
    ranks
}

/// Returns Spearman's rank correlation coefficient.
fn spearman(a: &[f32], b: &[f32]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() - 1) as f64 / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// Returns the part of an object's image that its model shows: 3 % are cut off at the lower end.
fn above_base(image: &RgbaImage) -> RgbaImage {
    let height = (f64::from(image.height()) * 0.97).round() as u32;
    image::imageops::crop_imm(image, 0, 0, image.width(), height).to_image()
}

#[test]
fn keeps_the_outline_and_is_thicker_farther_from_it() {
    for name in &SAMPLES[..3] {
        let image = above_base(&opaque(&sample(name).to_rgba8()));
        let glb = sculpt(&sample(name), &textured()).unwrap();
        let model = Model::read(&glb);
        let (width, height) = (image.width() as usize, image.height() as usize);
        let depths = model.depths(width, height);
        let covered: Vec<bool> = image.pixels().map(|pixel| pixel[3] > 127).collect();
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

/// Returns a disc on a transparent background.
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
fn makes_an_ellipsoid_of_a_disc_and_cuts_it_off_below() {
    // ∇²h = -4 has the solution h = r² - x² - y² there; the depth is 0.8 times √h.
    let model = Model::read(&sculpt(&disc(200, 80.0), &textured()).unwrap());
    let [width, height, depth] = model.size();
    assert!((width - 1.0).abs() < 1e-6 && (height - 0.97).abs() < 0.01);
    let (_, [.., top, _]) = model.bounds();
    for [x, y, z] in &model.positions {
        let y = y - top + 0.5;
        // Below, it is thicker, since the outline does not end at the base.
        if y < -0.25 {
            continue;
        }
        let radius = x * x + y * y + (z / depth).powi(2);
        assert!((radius - 0.25).abs() < 0.01, "{x} {y} {z}: {radius}");
    }
    assert!((depth - 0.8).abs() < 0.01, "{depth}");
}

#[test]
fn solves_the_height_of_large_shapes() {
    // A long strip has h = 2 (r² - x²) away from its ends.
    let strip = RgbaImage::from_fn(60, 400, |x, _| {
        Rgba([20, 120, 200, if (10..50).contains(&x) { 255 } else { 0 }])
    });
    let model = Model::read(&sculpt(&strip.into(), &textured()).unwrap());
    let thickest = model.size()[2];
    // In parts of the strip's length.
    let expected = 2.0 * 0.8 * (2.0f32).sqrt() * 20.0 / 400.0;
    assert!(
        (thickest / expected - 1.0).abs() < 0.03,
        "{thickest} {expected}"
    );
}

/// Returns a dark shape on a light background with noise and a soft shadow, as in a photo.
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
            let color = match shape(x as f32, y as f32) {
                true => [40.0, 90.0, 170.0],
                false => [ground; 3],
            };
            let color = color.map(|part| (part + noise()) as u8);
            photo.put_pixel(x, y, Rgb(color));
        }
    }
    photo.into()
}

#[test]
fn finds_an_object_on_a_plain_background() {
    let shape = |x: f32, y: f32| (x - 200.0).hypot(y - 150.0) < 90.0 && !(x > 200.0 && y > 150.0);
    let model = Model::read(&sculpt(&photo(shape), &textured()).unwrap());
    let depths = model.depths(180, 180);
    let mut agreeing = 0;
    for (at, depth) in depths.iter().enumerate() {
        let (x, y) = ((at % 180) as f32 + 110.5, (at / 180) as f32 + 60.5);
        agreeing += usize::from(depth.is_some() == shape(x, y));
    }
    let part = agreeing as f64 / depths.len() as f64;
    println!("an object on a plain background: {part:.4} of its box agree");
    assert!(part > 0.97, "{part}");
}

#[test]
fn removes_specks_fills_holes_and_keeps_a_second_object() {
    let shape = |x: f32, y: f32| {
        let body = (x - 130.0).hypot(y - 140.0) < 70.0;
        // A hole in the background's color, not connected to it.
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
fn makes_a_relief_of_an_image_without_an_object() {
    let ramp = GrayImage::from_fn(300, 200, |x, y| Luma([((x * 7 + y * 13) % 256) as u8]));
    for image in [sample("chelsea.png"), ramp.into()] {
        let model = Model::read(&sculpt(&image, &textured()).unwrap());
        let [width, height, depth] = model.size();
        let proportion = image.height() as f32 / image.width() as f32;
        assert!((height / width - proportion).abs() < 0.01);
        assert!(depth < 0.15);
        assert!(model.depths(60, 40).iter().all(Option::is_some));
    }
}

#[test]
fn shows_no_background_on_the_rim() {
    // A red disc on a green background, with mixed colors at its edge.
    let image = RgbImage::from_fn(300, 300, |x, y| {
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
        // A badly cut-out image: the background's color is in the half transparent pixels.
        let part = (100.0 - distance + 0.5).clamp(0.0, 1.0);
        let Rgb([red, green, blue]) = *image.get_pixel(x, y);
        Rgba([red, green, blue, (255.0 * part) as u8])
    });
    for image in [image.into(), clear.into()] {
        let texture = Model::read(&sculpt(&image, &textured()).unwrap())
            .texture
            .unwrap();
        let greenish = texture.pixels().filter(|pixel| pixel[1] > 90).count();
        assert_eq!(greenish, 0, "of {}", texture.pixels().len());
    }
}

#[test]
fn renders_four_different_views() {
    let image = sample("turtle.webp");
    let cutout = cut_out(&image).unwrap();
    let progress = &mut |_| ControlFlow::Continue(());
    let views = sculpt::render_views(&image, &cutout, &textured(), progress).unwrap();
    let views = views.map(|png| image::load_from_memory(&png).unwrap().to_rgba8());
    let covers = |view: &RgbaImage| view.pixels().filter(|pixel| pixel[3] > 127).count();
    for (at, view) in views.iter().enumerate() {
        assert_eq!(view.dimensions(), (512, 512));
        assert!(covers(view) > 30_000, "view {at} is empty");
        assert!(!views[..at].contains(view));
    }
    // The view from behind is the mirror image of the front view.
    let mirrored = image::imageops::flip_horizontal(&views[2]);
    let same = mirrored
        .pixels()
        .zip(views[0].pixels())
        .filter(|(a, b)| (a[3] > 127) == (b[3] > 127));
    assert!(same.count() > 510 * 512);
}

#[test]
fn stops_when_progress_cancels() {
    let image = sample("turtle.webp");
    for stop in [0.0, 0.3, 0.9] {
        let request = sculpt::ModelRequest {
            image: &image,
            cutout: &cut_out(&image).unwrap(),
            parameters: &textured(),
            detail: sculpt::Detail::Refined,
            view: 0,
        };
        let mut reported = Vec::new();
        let made = sculpt::sculpt(&request, &mut |part| {
            reported.push(part);
            if part >= stop {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(made, Err(sculpt::ModelError::Cancelled));
        assert!(reported.is_sorted() && reported.iter().filter(|part| **part >= stop).count() == 1);
    }
}
