//! The base that a model stands on, its back, and the texture on its sides.

#[path = "../examples/measure-shapes/solid.rs"]
#[allow(dead_code)]
mod solid;
mod support;

use std::collections::HashSet;

use contract::{Parameters, Resolution, Topology};
use image::{DynamicImage, Rgb, RgbImage, Rgba, RgbaImage};
use solid::Solid;
use support::*;

const ALPHA_SAMPLES: [&str; 3] = ["turtle.webp", "cat.webp", "mushroom.webp"];

/// Returns the parameters of every kind of mesh, textured and not.
fn kinds() -> Vec<(String, Parameters)> {
    let mut kinds = Vec::new();
    for resolution in [Resolution::HighPoly, Resolution::LowPoly] {
        for topology in [Topology::Tris, Topology::Quads] {
            for is_textured in [false, true] {
                let parameters = Parameters {
                    resolution: Some(resolution),
                    topology: Some(topology),
                    generate_texture: Some(is_textured),
                    ..Parameters::default()
                };
                let texture = if is_textured { "textured" } else { "plain" };
                kinds.push((format!("{resolution:?} {topology:?} {texture}"), parameters));
            }
        }
    }
    kinds
}

/// Returns a disc that is cut off at the lower edge of the image.
fn cut_off_disc() -> DynamicImage {
    RgbaImage::from_fn(200, 120, |x, y| {
        let distance = (x as f32 - 99.5).hypot(y as f32 - 99.5);
        Rgba([90, 140, 60, if distance < 80.0 { 255 } else { 0 }])
    })
    .into()
}

#[test]
fn stands_on_a_flat_base_with_every_kind_of_mesh() {
    let images = ALPHA_SAMPLES.map(|name| (name, sample(name)));
    for (name, image) in images.into_iter().chain([("cut off", cut_off_disc())]) {
        for (kind, parameters) in kinds() {
            let label = format!("{name}, {kind}");
            let glb = sculpt(&image, &parameters).unwrap();
            keep(&label.replace([' ', ',', '.'], "-"), &glb);
            let model = Model::read(&glb);
            model.assert_solid(&label);
            assert!(
                Solid::read_glb(&glb).unwrap().stands(),
                "{label} falls over"
            );
            let down: Vec<_> = (model.triangles.iter())
                .filter(|face| {
                    face.iter()
                        .all(|at| model.normals[*at as usize][1] < -0.999)
                })
                .collect();
            let (low, _) = model.bounds();
            let heights = down.iter().flat_map(|face| model.corners(**face));
            assert!(!down.is_empty(), "{label}: no base");
            assert!(
                heights.into_iter().all(|[_, y, _]| y == low[1]),
                "{label}: not flat"
            );
        }
    }
}

#[test]
fn cuts_off_three_percent_in_the_image_and_nothing_at_its_edge() {
    let proportions = |image: &DynamicImage| {
        let [width, height, _] = Model::read(&sculpt(image, &textured()).unwrap()).size();
        height / width
    };
    // From the highest point of the disc to the lower edge of the image.
    let cut_off = proportions(&cut_off_disc());
    assert!((cut_off - 100.0 / 160.0).abs() < 0.01, "{cut_off}");
    let square = RgbaImage::from_fn(200, 200, |x, y| {
        let is_inside = (50..150).contains(&x) && (50..150).contains(&y);
        Rgba([90, 140, 60, if is_inside { 255 } else { 0 }])
    });
    let square = proportions(&square.into());
    assert!((square - 0.97).abs() < 0.015, "{square}");
}

#[test]
fn keeps_the_full_depth_at_a_flat_lower_end() {
    let box_ = RgbaImage::from_fn(200, 200, |x, y| {
        let is_inside = (50..150).contains(&x) && (30..170).contains(&y);
        Rgba([90, 140, 60, if is_inside { 255 } else { 0 }])
    });
    let model = Model::read(&sculpt(&box_.into(), &textured()).unwrap());
    let depths = model.depths(100, 100);
    let depth = |y: usize| depths[y * 100 + 50].map_or(0.0, |(front, back)| front - back);
    assert!(depth(98) > 0.95 * depth(50), "{} {}", depth(98), depth(50));
}

/// A face on a head: a blue bar on a red disc.
fn face() -> DynamicImage {
    RgbaImage::from_fn(300, 300, |x, y| {
        let is_bar = (90..210).contains(&x) && (120..160).contains(&y);
        let color = if is_bar { [30, 40, 220] } else { [220, 60, 40] };
        let distance = (x as f32 - 149.5).hypot(y as f32 - 149.5);
        let [red, green, blue] = color;
        Rgba([red, green, blue, if distance < 120.0 { 255 } else { 0 }])
    })
    .into()
}

/// Returns the color of the texture at a vertex.
fn color(model: &Model, at: usize) -> Rgb<u8> {
    let texture = model.texture.as_ref().unwrap();
    let [u, v] = model.uvs[at];
    image::imageops::sample_bilinear(texture, u, v).unwrap()
}

#[test]
fn shows_a_face_in_front_and_not_on_the_back() {
    for (kind, parameters) in kinds() {
        if parameters.generate_texture == Some(false) {
            continue;
        }
        let model = Model::read(&sculpt(&face(), &parameters).unwrap());
        let is_blue = |at: &usize| color(&model, *at)[2] > 120;
        let front = model.vertices(Side::Front, 0.05);
        let blue = front.iter().filter(|at| is_blue(at)).count();
        assert!(blue * 20 > front.len(), "{kind}: {blue} of {}", front.len());
        let back = model.vertices(Side::Back, 0.01);
        assert_eq!(back.iter().filter(|at| is_blue(at)).count(), 0, "{kind}");
    }
}

#[test]
fn shows_no_face_in_the_view_from_behind() {
    let image = face();
    let cutout = cut_out(&image).unwrap();
    let progress = &mut |_| std::ops::ControlFlow::Continue(());
    let views = sculpt::render_views(&image, &cutout, &textured(), progress).unwrap();
    let blue = views.map(|png| {
        let view = image::load_from_memory(&png).unwrap().to_rgba8();
        view.pixels()
            .filter(|it| it[3] > 0 && it[2] > it[0])
            .count()
    });
    assert!(blue[0] > 10_000 && blue[2] == 0, "{blue:?}");
}

#[test]
fn continues_the_colors_of_the_rim_on_the_back() {
    // The upper half is red, the lower one blue.
    let image = RgbaImage::from_fn(300, 300, |x, y| {
        let distance = (x as f32 - 149.5).hypot(y as f32 - 149.5);
        let opacity = if distance < 120.0 { 255 } else { 0 };
        if y < 150 {
            Rgba([220, 30, 40, opacity])
        } else {
            Rgba([30, 40, 220, opacity])
        }
    });
    let model = Model::read(&sculpt(&image.into(), &textured()).unwrap());
    for at in model.vertices(Side::Back, 0.01) {
        let [_, y, _] = model.positions[at];
        let color = color(&model, at);
        if y > 0.25 {
            assert!(color[0] > color[2], "{y}: {color:?}");
        } else if y < -0.2 {
            assert!(color[2] > color[0], "{y}: {color:?}");
        }
    }
}

#[test]
fn stretches_the_texture_on_a_small_part_of_the_surface_only() {
    for name in ALPHA_SAMPLES {
        let glb = sculpt(&sample(name), &textured()).unwrap();
        let part = Solid::read_glb(&glb).unwrap().stretched_part(3.0);
        println!("{name}: {part:.3} of the surface is stretched more than 3 times");
        assert!(part < 0.13, "{name}: {part}");
    }
}

#[test]
fn does_not_stretch_the_texture_of_the_base() {
    let glb = sculpt(&cut_off_disc(), &textured()).unwrap();
    let model = Model::read(&glb);
    let mut solid = Solid::read_glb(&glb).unwrap();
    solid.triangles.retain(|face| {
        face.iter()
            .all(|at| model.normals[*at as usize][1] < -0.999)
    });
    assert!(solid.triangles.len() > 10);
    let part = solid.stretched_part(1.5);
    assert!(part < 0.01, "{part}");
}

#[test]
fn keeps_the_texture_within_the_requested_resolution() {
    let wide = RgbImage::from_fn(640, 400, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let tall = image::imageops::rotate90(&wide);
    for (name, image) in [("wide", wide), ("tall", tall)] {
        for edge in contract::TEXTURE_RESOLUTIONS {
            let parameters = Parameters {
                texture_resolution: Some(edge),
                ..textured()
            };
            let model = Model::read(&sculpt(&image.clone().into(), &parameters).unwrap());
            let (width, height) = model.texture.as_ref().unwrap().dimensions();
            assert!(
                width.max(height) <= edge,
                "{name}, {edge}: {width} × {height}"
            );
            let uvs = || model.uvs.iter().flatten();
            assert!(
                uvs().all(|part| (0.0..=1.0).contains(part)),
                "{name}, {edge}"
            );
        }
    }
}

#[test]
fn keeps_the_detail_of_a_half_transparent_image() {
    let [red, blue] = [[210, 40, 30], [30, 60, 210]];
    let image = RgbaImage::from_fn(96, 64, |x, y| {
        let [r, g, b] = if x / 8 % 2 == 0 { red } else { blue };
        // One clear pixel, without which the image would count as opaque.
        Rgba([r, g, b, if (x, y) == (95, 63) { 0 } else { 128 }])
    });
    let model = Model::read(&sculpt(&image.into(), &textured()).unwrap());
    let texture = model.texture.unwrap();
    // The middle of the front, where stripes of both colors are next to each other.
    let middle = || (32..64).map(|x| texture.get_pixel(x, 32).0[0]);
    let (least, most) = (middle().min().unwrap(), middle().max().unwrap());
    assert!(least < 50 && most > 190, "red from {least} to {most}");
}

#[test]
fn joins_front_and_back_of_a_model_without_a_texture() {
    let vertices =
        |parameters: &Parameters| Model::read(&sculpt(&face(), parameters).unwrap()).positions;
    let (plain, textured) = (vertices(&Parameters::default()), vertices(&textured()));
    let places = |all: &[[f32; 3]]| {
        all.iter()
            .map(|at| at.map(f32::to_bits))
            .collect::<HashSet<_>>()
    };
    assert_eq!(places(&plain), places(&textured));
    assert!(plain.len() < textured.len());
}

#[test]
fn gives_both_sides_of_the_rim_the_same_normal() {
    let model = Model::read(&sculpt(&face(), &textured()).unwrap());
    let (low, _) = model.bounds();
    let mut seen = std::collections::HashMap::new();
    let mut pairs = 0;
    for (position, normal) in model.positions.iter().zip(&model.normals) {
        // The base has an edge.
        if position[1] > low[1]
            && let Some(other) = seen.insert(position.map(f32::to_bits), *normal)
        {
            pairs += 1;
            assert_eq!(other, *normal);
        }
    }
    assert!(pairs > 100, "{pairs}");
}

#[test]
fn writes_indices_with_16_bits_where_they_fit() {
    let size = |detail| {
        let json = json_of(&sculpt_at(&face(), &textured(), detail).unwrap());
        let indices = json["meshes"][0]["primitives"][0]["indices"]
            .as_u64()
            .unwrap() as usize;
        json["accessors"][indices]["componentType"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(size(sculpt::Detail::Preview), 5123);
}

#[test]
fn shows_a_model_without_a_texture_on_a_white_ground() {
    let json = json_of(&sculpt(&face(), &Parameters::default()).unwrap());
    let color = &json["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"];
    // Linear: a middle grey.
    assert!(
        color.as_array().unwrap()[..3]
            .iter()
            .all(|part| part.as_f64().unwrap() < 0.5)
    );
}
