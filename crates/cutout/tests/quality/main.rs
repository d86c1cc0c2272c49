//! Measures how well the cut-out finds objects: composes pictures from objects with a known outline and
//! from backgrounds, cuts the objects out, and compares the outlines.
//!
//! `QUALITY_SEED` selects the objects and where they are; `TEST_FULL=1` composes five times as many
//! pictures. Writes the worst results to `target/tmp/cutout-quality/`, as picture, truth and cutout.

mod outline;
mod photos;
mod scene;
mod score;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use contract::{CutoutMethod, CutoutShape, Parameters};
use cutout::{ImageFormat, Network, U2NETP};
use image::{DynamicImage, GrayImage, RgbaImage};
use outline::{hole_count, iou};
use photos::photo;
use scene::{Background, Scene};
use score::Score;
use sculpt::{Cutout, CutoutRequest, Detail, ModelRequest, cut_out};

static NETWORK: LazyLock<Network> =
    LazyLock::new(|| Network::load(U2NETP.to_vec(), ImageFormat::default()).unwrap());

/// The smallest hole that counts, in parts of the picture.
const MIN_HOLE_PART: f32 = 0.004;
/// Photos without an object.
const NO_OBJECT: [&str; 8] = [
    "brick", "grass", "gravel", "hubble", "ihc", "moon", "page", "text",
];

fn cut(image: &DynamicImage) -> Cutout {
    let request = CutoutRequest {
        segmenter: Some(&*NETWORK),
        ..CutoutRequest::default()
    };
    cut_out(image, &request).unwrap()
}

fn random() -> fastrand::Rng {
    let seed = std::env::var("QUALITY_SEED").ok();
    let seed = seed.map_or(17, |seed| seed.parse().unwrap());
    println!("QUALITY_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// Returns the number of objects.
fn count(short: usize) -> usize {
    match std::env::var_os("TEST_FULL") {
        Some(_) => 5 * short,
        None => short,
    }
}

/// Cuts each object out of each background.
fn scores(
    objects: &[(String, RgbaImage)],
    backgrounds: &[Background],
    random: &mut fastrand::Rng,
) -> Vec<Score> {
    let mut scores = Vec::new();
    for (name, object) in objects {
        for background in backgrounds {
            let scene = Scene::compose(object, *background, random);
            let cutout = cut(&scene.picture.clone().into());
            let mask = cutout.to_image();
            scores.push(Score {
                name: format!("{name}-{}", background.name()),
                background: *background,
                iou: iou(&mask, &scene.truth),
                holes: (
                    hole_count(&scene.truth, MIN_HOLE_PART),
                    hole_count(&mask, MIN_HOLE_PART),
                ),
                is_relief: cutout.report.shape == CutoutShape::Relief,
                confidence: cutout.report.confidence,
                scene,
                mask,
            });
        }
    }
    scores.sort_by(|a, b| a.iou.total_cmp(&b.iou));
    score::print(&scores);
    scores
}

#[test]
fn outlines_of_objects_are_right() {
    let mut random = random();
    let objects = scene::objects(&mut random, count(6));
    let scores = scores(&objects, &Background::ALL, &mut random);
    for (rank, score) in scores.iter().take(10).enumerate() {
        keep(&format!("outline-{rank}"), score);
    }
    let (sharp, others): (Vec<_>, Vec<_>) =
        (scores.iter()).partition(|score| score.background == Background::SharpPhoto);
    let mean = score::mean(&others);
    let good = score::good_part(&others);
    println!("mean IoU {mean:.3}, {:.0} % at 0.9 or more", 100.0 * good);
    assert!(mean >= 0.93 && good >= 0.85);
    let mean = score::mean(&sharp);
    println!("before sharp photos: mean IoU {mean:.3}");
    assert!(mean >= 0.60);
}

#[test]
fn holes_of_objects_stay_open() {
    let mut random = random();
    let objects = scene::objects_with_holes(&mut random, count(6));
    let backgrounds = [Background::Gradient, Background::Wood, Background::Grass];
    let scores = scores(&objects, &backgrounds, &mut random);
    for (rank, score) in scores.iter().take(10).enumerate() {
        keep(&format!("holes-{rank}"), score);
    }
    let (found, invented) = score::holes(&scores);
    println!(
        "found {:.0} % of the holes, invented {invented}",
        100.0 * found
    );
    assert!(found >= 0.5 && invented * 10 <= scores.len());
}

#[test]
fn photos_without_an_object_stay_reliefs() {
    for name in NO_OBJECT {
        let report = cut(&photo(name)).report;
        println!("{name}: {report:?}");
        assert_eq!(report.method, CutoutMethod::Network, "{name}");
        assert_eq!(report.shape, CutoutShape::Relief, "{name}: {report:?}");
    }
}

#[test]
fn photos_with_an_object_become_objects() {
    for (name, part) in [
        ("astronaut", 0.4..0.7),
        ("camera", 0.2..0.5),
        ("chelsea", 0.4..0.8),
        ("coffee", 0.3..0.6),
        ("rocket", 0.01..0.05),
    ] {
        let image = photo(name);
        let cutout = cut(&image);
        let report = cutout.report;
        println!("{name}: {report:?}");
        assert_eq!(report.shape, CutoutShape::Object, "{name}: {report:?}");
        assert!(part.contains(&report.coverage), "{name}: {report:?}");
        keep_model(name, &image, &cutout);
    }
}

/// Keeps a model in `target/models` for the tests with readers in JavaScript, which run after these.
fn keep_model(name: &str, image: &DynamicImage, cutout: &Cutout) {
    let request = ModelRequest {
        image,
        cutout,
        parameters: &Parameters {
            generate_texture: Some(true),
            ..Parameters::default()
        },
        detail: Detail::Preview,
        view: 0,
    };
    let glb = sculpt::sculpt(&request, &mut |_| ControlFlow::Continue(())).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("models");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}-photo.glb")), glb).unwrap();
}

/// Writes a picture with its true and its found outline.
fn keep(rank: &str, result: &Score) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cutout-quality");
    std::fs::create_dir_all(&folder).unwrap();
    let (width, height) = result.scene.picture.dimensions();
    let mut sheet = RgbaImage::new(3 * width, height);
    let gray = |mask: &GrayImage| DynamicImage::from(mask.clone()).to_rgba8();
    let parts = [
        result.scene.picture.clone(),
        gray(&result.scene.truth),
        gray(&result.mask),
    ];
    for (index, part) in parts.iter().enumerate() {
        image::imageops::replace(&mut sheet, part, (index as u32 * width).into(), 0);
    }
    let file = format!("{rank}-{}-{:.2}.png", result.name, result.iou);
    sheet.save(folder.join(file)).unwrap();
}
