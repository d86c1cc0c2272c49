//! The kinds of shape: which one an image gets, and what each looks like.

#[path = "../examples/measure-shapes/solid.rs"]
#[allow(dead_code)]
mod solid;
mod support;

use std::ops::ControlFlow;

use contract::{ModelShape, Parameters, Resolution, ShapeChoice, Topology};
use image::{DynamicImage, Rgba, RgbaImage};
use sculpt::{CutoutRequest, Detail, ModelRequest};
use solid::Solid;
use support::*;

const EDGE: u32 = 400;

/// Draws an image with a color for each point of a square from -1 to 1, y upwards; `None` is clear.
/// Edges are smooth.
fn drawn(color: impl Fn(f32, f32) -> Option<[u8; 3]>) -> DynamicImage {
    const PARTS: u32 = 4;
    RgbaImage::from_fn(EDGE, EDGE, |x, y| {
        let (mut sum, mut count) = ([0; 3], 0);
        for part in 0..PARTS * PARTS {
            let at = |pixel: u32, part: u32| {
                2.0 * (pixel as f32 + (part as f32 + 0.5) / PARTS as f32) / EDGE as f32 - 1.0
            };
            if let Some(color) = color(at(x, part % PARTS), -at(y, part / PARTS)) {
                for channel in 0..3 {
                    sum[channel] += u32::from(color[channel]);
                }
                count += 1;
            }
        }
        let [red, green, blue] = sum.map(|sum| (sum / count.max(1)) as u8);
        Rgba([red, green, blue, (255 * count / (PARTS * PARTS)) as u8])
    })
    .into()
}

/// The color of a tube in light from the left, at a part of its half width.
fn lit([red, green, blue]: [f32; 3], part: f32) -> Option<[u8; 3]> {
    let light = 0.4 + 0.6 * (0.8 * (1.0 - part * part).max(0.0).sqrt() - 0.4 * part).max(0.0);
    Some([red, green, blue].map(|channel| (channel * light) as u8))
}

/// The half width of a bottle at a height.
fn bottle_radius(y: f32) -> f32 {
    match y {
        -0.9..0.2 => 0.4,
        0.2..0.5 => 0.14 + 0.26 * (1.0 + ((y - 0.2) / 0.3 * std::f32::consts::PI).cos()) / 2.0,
        0.5..0.9 => 0.14,
        _ => 0.0,
    }
}

fn bottle() -> DynamicImage {
    drawn(|x, y| {
        let radius = bottle_radius(y);
        (x.abs() < radius)
            .then(|| lit([40.0, 160.0, 80.0], x / radius))
            .flatten()
    })
}

/// A bottle with a dark emblem.
fn bottle_with_a_face() -> DynamicImage {
    drawn(|x, y| {
        let radius = bottle_radius(y);
        let is_dark =
            (x.abs() - 0.18).hypot(y + 0.1) < 0.09 || (x.abs() < 0.2 && (y + 0.5).abs() < 0.06);
        (x.abs() < radius)
            .then(|| {
                if is_dark {
                    Some([20, 20, 20])
                } else {
                    lit([40.0, 160.0, 80.0], x / radius)
                }
            })
            .flatten()
    })
}

/// A square that gets darker from the top to the bottom.
fn square() -> DynamicImage {
    drawn(|x, y| (x.abs() < 0.6 && y.abs() < 0.7).then_some([(150.0 + 90.0 * y) as u8, 40, 90]))
}

/// A ball with a pattern.
fn ball() -> DynamicImage {
    drawn(|x, y| {
        let is_dark = (7.0 * x).sin() * (9.0 * y + 2.0 * x).sin() > 0.2;
        let color = if is_dark {
            [60.0, 60.0, 200.0]
        } else {
            [230.0, 230.0, 220.0]
        };
        (x.hypot(y) < 0.85).then(|| lit(color, x / 0.85)).flatten()
    })
}

/// A head with ears, eyes and shading.
fn head() -> DynamicImage {
    drawn(|x, y| {
        let is_ear = (x.abs() - 0.5).hypot(y - 0.5) < 0.3;
        let is_eye = (x.abs() - 0.25).hypot(y - 0.05) < 0.08;
        match is_eye {
            true => Some([20, 20, 20]),
            false if is_ear || x.hypot(y + 0.1) < 0.7 => lit([200.0, 140.0 + 60.0 * y, 60.0], x),
            false => None,
        }
    })
}

/// A red letter L.
fn letter() -> DynamicImage {
    drawn(|x, y| {
        let is_inside = (-0.6..-0.2).contains(&x) && y.abs() < 0.8
            || (-0.6..0.5).contains(&x) && (-0.8..-0.4).contains(&y);
        is_inside.then_some([210, 30, 40])
    })
}

/// A ring of even width in three colors.
fn ring() -> DynamicImage {
    drawn(|x, y| {
        let color = match y.atan2(x) {
            ..-1.0 => [220, 40, 40],
            -1.0..1.0 => [30, 60, 200],
            _ => [250, 190, 20],
        };
        (0.55..0.8).contains(&x.hypot(y)).then_some(color)
    })
}

/// A white bar on a blue square.
fn tile() -> DynamicImage {
    drawn(
        |x, y| match (x.abs() < 0.5 && y.abs() < 0.1, x.abs().max(y.abs())) {
            (true, _) => Some([255; 3]),
            (false, 0.0..0.8) => Some([30, 60, 200]),
            _ => None,
        },
    )
}

/// A disc of one color.
fn disc() -> DynamicImage {
    drawn(|x, y| (x.hypot(y) < 0.8).then_some([200, 90, 40]))
}

/// A flat cartoon of many colors.
fn cartoon() -> DynamicImage {
    drawn(|x, y| {
        let is_eye = (x.abs() - 0.2).hypot(y - 0.45) < 0.07;
        let is_beak = y < 0.3 && x.abs() < (y - 0.05) * 0.8;
        let is_body = x.hypot(1.2 * (y + 0.35)) < 0.65;
        match (is_eye, is_beak) {
            (true, _) => Some([20, 20, 20]),
            (_, true) => Some([240, 130, 30]),
            _ if x.hypot(y - 0.4) < 0.45 => Some([250, 220, 60]),
            _ if is_body => Some([250, 250, 250]),
            _ => None,
        }
    })
}

fn cut(image: &DynamicImage, shape: ShapeChoice) -> sculpt::Cutout {
    let request = CutoutRequest {
        shape,
        ..CutoutRequest::default()
    };
    sculpt::cut_out(image, &request).unwrap()
}

fn made(
    image: &DynamicImage,
    shape: ShapeChoice,
    parameters: &Parameters,
    detail: Detail,
) -> Vec<u8> {
    let request = ModelRequest {
        image,
        cutout: &cut(image, shape),
        parameters,
        detail,
        view: 0,
    };
    sculpt::sculpt(&request, &mut |_| ControlFlow::Continue(())).unwrap()
}

const CHOICES: [ShapeChoice; 5] = [
    ShapeChoice::Auto,
    ShapeChoice::Round,
    ShapeChoice::Revolved,
    ShapeChoice::Extruded,
    ShapeChoice::Relief,
];

#[test]
fn chooses_the_kind_that_suits_an_image() {
    let images = [
        ("bottle", bottle(), ModelShape::Revolved),
        (
            "bottle with a face",
            bottle_with_a_face(),
            ModelShape::Round,
        ),
        ("ball", ball(), ModelShape::Revolved),
        ("square", square(), ModelShape::Round),
        ("head", head(), ModelShape::Round),
        ("letter", letter(), ModelShape::Extruded),
        ("ring", ring(), ModelShape::Extruded),
        ("tile", tile(), ModelShape::Extruded),
        ("disc", disc(), ModelShape::Round),
        ("cartoon", cartoon(), ModelShape::Round),
        ("turtle", sample("turtle.webp"), ModelShape::Round),
        ("cat", sample("cat.webp"), ModelShape::Round),
        ("mushroom", sample("mushroom.webp"), ModelShape::Round),
    ];
    let chosen = images
        .map(|(name, image, expected)| (name, cut(&image, ShapeChoice::Auto).shape, expected));
    let wrong: Vec<_> = chosen
        .iter()
        .filter(|(_, shape, expected)| shape != expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn makes_the_kind_that_the_caller_chooses() {
    let shapes = CHOICES.map(|choice| cut(&head(), choice).shape);
    let expected = [
        ModelShape::Round,
        ModelShape::Round,
        ModelShape::Revolved,
        ModelShape::Extruded,
        ModelShape::Relief,
    ];
    assert_eq!(shapes, expected);
    let depths = CHOICES[1..]
        .iter()
        .map(|choice| Model::read(&made(&head(), *choice, &textured(), Detail::Preview)).size()[2]);
    let mut depths: Vec<_> = depths.collect();
    depths.sort_by(f32::total_cmp);
    assert!(
        depths.windows(2).all(|pair| pair[1] > 1.05 * pair[0]),
        "{depths:?}"
    );
}

#[test]
fn keeps_the_whole_image_for_a_relief() {
    let white = drawn(|x, y| match x.hypot(y) < 0.5 {
        true => Some([200, 40, 40]),
        false => Some([255, 255, 255]),
    });
    let covered = |choice| cut(&white, choice).report.coverage;
    assert!(covered(ShapeChoice::Auto) < 0.3);
    assert_eq!(covered(ShapeChoice::Relief), 1.0);
}

#[test]
fn is_solid_and_stands_with_every_kind() {
    let images = [
        ("bottle", bottle()),
        ("ball", ball()),
        ("head", head()),
        ("letter", letter()),
        ("ring", ring()),
        ("turtle", sample("turtle.webp")),
    ];
    for (name, image) in images {
        for choice in CHOICES {
            for resolution in [Resolution::HighPoly, Resolution::LowPoly] {
                for topology in [Topology::Tris, Topology::Quads] {
                    for is_textured in [false, true] {
                        let parameters = Parameters {
                            resolution: Some(resolution),
                            topology: Some(topology),
                            generate_texture: Some(is_textured),
                            ..Parameters::default()
                        };
                        let label =
                            format!("{name} {choice:?} {resolution:?} {topology:?} {is_textured}");
                        let glb = made(&image, choice, &parameters, Detail::Preview);
                        if ["bottle", "letter"].contains(&name) {
                            keep(&label.replace(' ', "-"), &glb);
                            let refined = made(&image, choice, &parameters, Detail::Refined);
                            let label = format!("{label} refined");
                            keep(&label.replace(' ', "-"), &refined);
                            Model::read(&refined).assert_solid(&label);
                        }
                        let model = Model::read(&glb);
                        model.assert_solid(&label);
                        let faces = model.triangles.len();
                        let expected = match resolution {
                            Resolution::HighPoly
                                if cut(&image, choice).shape == ModelShape::Extruded =>
                            {
                                1_000..80_000
                            }
                            Resolution::HighPoly => 15_000..100_000,
                            Resolution::LowPoly => 100..1_200,
                        };
                        assert!(expected.contains(&faces), "{label}: {faces}");
                        if choice != ShapeChoice::Relief
                            && (name, choice) != ("letter", ShapeChoice::Round)
                        {
                            assert!(
                                Solid::read_glb(&glb).unwrap().stands(),
                                "{label} falls over"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn gives_a_surface_of_revolution_round_sections() {
    let glb = made(&bottle(), ShapeChoice::Auto, &textured(), Detail::Preview);
    let model = Model::read(&glb);
    let (low, high) = model.bounds();
    let middle = (low[0] + high[0]) / 2.0;
    // The height of the image's bottle without the base is 1.8 - 3 %.
    let scale = (high[1] - low[1]) / (1.8 * 0.97);
    let mut errors = Vec::new();
    for [x, y, z] in &model.positions {
        let height = 0.9 - (high[1] - y) / scale;
        let radius = bottle_radius(height) * scale;
        if (-0.8..0.88).contains(&height) {
            errors.push(((x - middle).hypot(*z) - radius).abs() / (high[1] - low[1]));
        }
    }
    errors.sort_by(f32::total_cmp);
    let most = errors[errors.len() * 99 / 100];
    assert!(most < 0.01, "{most}");
}

#[test]
fn gives_an_extrusion_flat_sides_and_crisp_edges() {
    for topology in [Topology::Tris, Topology::Quads] {
        let parameters = Parameters {
            topology: Some(topology),
            ..textured()
        };
        let model = Model::read(&made(
            &letter(),
            ShapeChoice::Auto,
            &parameters,
            Detail::Preview,
        ));
        let (mut areas, mut flat) = ([0.0; 3], 0.0);
        for face in &model.triangles {
            let [a, b, c] = model.corners(*face).map(glam::Vec3::from);
            let cross = (b - a).cross(c - a);
            let normals = face.map(|at| glam::Vec3::from(model.normals[at as usize]));
            let least = normals
                .map(|normal| normal.dot(cross.normalize()))
                .into_iter()
                .fold(1.0, f32::min);
            let z = (cross.z / cross.length()).abs();
            let kind = if z > 0.999 {
                0
            } else if z < 0.001 {
                1
            } else {
                2
            };
            areas[kind] += cross.length();
            // Lit as the flat surface that it is, without a gradient at the edges.
            if kind < 2 && least > 0.97 {
                flat += cross.length();
            }
        }
        assert!(flat > 0.95 * (areas[0] + areas[1]), "{flat} {areas:?}");
        let all: f32 = areas.iter().sum();
        assert!(
            areas[0] > 0.4 * all && areas[1] > 0.25 * all && areas[2] < 0.2 * all,
            "{areas:?}"
        );
    }
}

#[test]
fn is_smooth_at_the_rim() {
    let disc = drawn(|x, y| {
        (x.hypot(y) < 0.8)
            .then(|| lit([200.0, 90.0, 40.0], x))
            .flatten()
    });
    let model = Model::read(&made(
        &disc,
        ShapeChoice::Round,
        &textured(),
        Detail::Preview,
    ));
    let (low, high) = model.bounds();
    let center = (low[0] + high[0]) / 2.0;
    let radius = (high[0] - low[0]) / 2.0;
    let depth = high[2];
    let mut angles = Vec::new();
    for (position, normal) in model.positions.iter().zip(&model.normals) {
        let [x, y, z] = [
            position[0] - center,
            position[1] - (high[1] - radius),
            position[2],
        ];
        // Of an ellipsoid. The lower end goes on straight below.
        if y > 0.0 && z.abs() < 0.6 * depth {
            let [x, y] = [x, y].map(|at| at / radius / radius);
            let expected = glam::Vec3::new(x, y, z / depth / depth).normalize();
            let cosine = expected.dot(glam::Vec3::from(*normal));
            angles.push(cosine.clamp(-1.0, 1.0).acos().to_degrees());
        }
    }
    angles.sort_by(f32::total_cmp);
    let (mean, most) = (
        angles.iter().sum::<f32>() / angles.len() as f32,
        angles[angles.len() * 98 / 100],
    );
    println!("normals at the rim: {mean:.2}° from those of an ellipsoid, 98 % within {most:.2}°");
    assert!(mean < 1.0 && most < 3.0, "{mean} {most}");
}

#[test]
fn shows_a_finer_outline_when_refined() {
    // A gear with fine teeth.
    let gear = drawn(|x, y| {
        let teeth = 0.04 * (130.0 * y.atan2(x)).sin();
        (x.hypot(y) < 0.8 + teeth)
            .then(|| lit([180.0, 120.0, 70.0], x))
            .flatten()
    });
    let [preview, refined] = [Detail::Preview, Detail::Refined].map(|detail| {
        let model = Model::read(&made(&gear, ShapeChoice::Round, &textured(), detail));
        let (low, high) = model.bounds();
        let center = [(low[0] + high[0]) / 2.0, high[1] - (high[0] - low[0]) / 2.0];
        let scale = 0.84 * 2.0 / (high[0] - low[0]);
        // The depth of the teeth in the outline: the standard deviation of the radius.
        let rim = model
            .positions
            .iter()
            .filter(|it| it[2] == 0.0 && it[1] > center[1]);
        let radii: Vec<f32> = rim
            .map(|it| scale * (it[0] - center[0]).hypot(it[1] - center[1]))
            .collect();
        let mean = radii.iter().sum::<f32>() / radii.len() as f32;
        (radii
            .iter()
            .map(|radius| (radius - mean).powi(2))
            .sum::<f32>()
            / radii.len() as f32)
            .sqrt()
    });
    // A sine wave of this height has a standard deviation of 0.028.
    println!("teeth: {preview:.4} in the preview, {refined:.4} refined, 0.0283 in the image");
    assert!(
        refined > 0.019 && refined > 1.25 * preview,
        "{preview} {refined}"
    );
}
