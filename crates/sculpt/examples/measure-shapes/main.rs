//! Measures how near the models are to true shapes, and whether models of cut-out pictures stand and
//! how far their texture is stretched: for the benchmark.
//!
//! `measure-shapes MODELS EMOJI [SHEETS]` draws the PLY files of the folder MODELS from the front and
//! from above to the side, makes models of these pictures, and prints what it measures as JSON.
//! EMOJI is the folder of the emoji's pictures. The contact sheets go into the folder SHEETS, among them
//! those of `docs/images`: `backs.jpg` and `kinds.jpg`.

mod documented;
mod raster;
mod scores;
mod solid;

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use contract::{Parameters, ShapeChoice};
use glam::{DMat3, DVec3};
use image::{DynamicImage, RgbImage, RgbaImage};
use raster::{Frame, Shading, picture, put};
use scores::Scores;
use sculpt::{CutoutRequest, Detail, ModelRequest};
use serde_json::{Value, json};
use solid::Solid;

/// The files of the models, with the rotations about x and then about y, in degrees, after which they
/// are upright and face the viewer.
const MODELS: [(&str, [f64; 2]); 8] = [
    ("airplane", [-90.0, 0.0]),
    ("ant", [-90.0, 0.0]),
    ("bunny", [0.0, 0.0]),
    ("hand", [0.0, 0.0]),
    ("nut", [0.0, 0.0]),
    ("snowden", [0.0, 0.0]),
    ("suzi", [0.0, 0.0]),
    ("teapot", [0.0, 0.0]),
];
/// The views by name: rotations about y and then about x, in degrees.
const VIEWS: [(&str, [f64; 2]); 2] = [("front", [0.0, 0.0]), ("three-quarter", [-40.0, 20.0])];
/// The edge of a picture.
const PIXELS: usize = 512;
/// The edge of a picture in a contact sheet.
const CELL: u32 = 224;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&Path> = arguments.iter().map(Path::new).collect();
    let (models, emoji, sheets) = match arguments[..] {
        [models, emoji] => (models, emoji, None),
        [models, emoji, sheets] => (models, emoji, Some(sheets)),
        _ => return Err("usage: measure-shapes MODELS EMOJI [SHEETS]".into()),
    };
    let shapes = measure_shapes(models, sheets)?;
    if let Some(folder) = sheets {
        documented::write(emoji, folder)?;
    }
    let emoji = measure_emoji(emoji, sheets)?;
    println!("{}", json!({ "shapes": shapes, "emoji": emoji }));
    Ok(())
}

/// Makes a textured model of a picture with a transparent ground.
fn sculpted(image: &DynamicImage, shape: ShapeChoice) -> Result<Solid, Box<dyn Error>> {
    let parameters = Parameters {
        generate_texture: Some(true),
        ..Parameters::default()
    };
    let request = CutoutRequest {
        shape,
        ..CutoutRequest::default()
    };
    let request = ModelRequest {
        image,
        cutout: &sculpt::cut_out(image, &request)?,
        parameters: &parameters,
        detail: Detail::Preview,
        view: 0,
    };
    Solid::read_glb(&sculpt::sculpt(&request, &mut |_| {
        ControlFlow::Continue(())
    })?)
}

fn rotation([first, second]: [f64; 2], order: [fn(f64) -> DMat3; 2]) -> DMat3 {
    order[1](second.to_radians()) * order[0](first.to_radians())
}

fn measure_shapes(folder: &Path, sheets: Option<&Path>) -> Result<Value, Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut sheet = RgbImage::new(5 * CELL, CELL * (MODELS.len() * VIEWS.len()) as u32);
    for (name, upright) in MODELS {
        let upright = rotation(upright, [DMat3::from_rotation_x, DMat3::from_rotation_y]);
        let solid = Solid::read_ply(&folder.join(name).with_extension("ply"))?.rotated(upright);
        for (view, turn) in VIEWS {
            let turn = rotation(turn, [DMat3::from_rotation_y, DMat3::from_rotation_x]);
            let truth = solid.clone().rotated(turn);
            let frame = Frame::around(&truth);
            let image = picture(&truth, frame, PIXELS, Shading::Strong);
            let model = placed(sculpted(&image.clone().into(), ShapeChoice::Auto)?, &truth);
            let flat = [0.1, 0.2].map(|depth| extruded(&image, frame, depth * longest(&truth)));
            let top = CELL * rows.len() as u32;
            let side = DMat3::from_rotation_y(-1.2);
            for (at, solid) in [&truth, &truth, &model, &model].into_iter().enumerate() {
                let solid = if at % 2 == 1 {
                    solid.clone().rotated(side)
                } else {
                    solid.clone()
                };
                let solid = Solid {
                    texture: None,
                    ..solid
                };
                put(
                    &mut sheet,
                    &picture(
                        &solid,
                        Frame::around(&solid),
                        CELL as usize,
                        Shading::Strong,
                    ),
                    at as u32 * CELL,
                    top,
                );
            }
            let below = model.clone().rotated(DMat3::from_rotation_x(-1.0));
            put(
                &mut sheet,
                &picture(&below, Frame::around(&below), CELL as usize, Shading::Soft),
                4 * CELL,
                top,
            );
            let of = |model: &Solid| {
                let Scores {
                    chamfer,
                    f2,
                    f5,
                    normals,
                    side_iou,
                } = Scores::of(model, &truth);
                json!({ "chamfer": chamfer, "f2": f2, "f5": f5, "normals": normals, "sideIou": side_iou })
            };
            rows.push(json!({
                "name": name, "view": view,
                "model": of(&model), "extruded01": of(&flat[0]), "extruded02": of(&flat[1]),
            }));
        }
    }
    if let Some(folder) = sheets {
        std::fs::create_dir_all(folder)?;
        sheet.save(folder.join("shapes.png"))?;
    }
    Ok(rows.into())
}

fn longest(solid: &Solid) -> f64 {
    let (low, high) = solid.bounds();
    (high - low).max_element()
}

/// Puts a model where the picture shows it: their widths and their upper edges are the same. The lower
/// edges may differ, since a model may be cut off there.
fn placed(model: Solid, truth: &Solid) -> Solid {
    let ((low, high), (true_low, true_high)) = (model.bounds(), truth.bounds());
    let scale = (true_high.x - true_low.x) / (high.x - low.x);
    let by = DVec3::new(
        true_low.x - scale * low.x,
        true_high.y - scale * high.y,
        0.0,
    );
    model.moved(scale, by)
}

/// Raises what a picture covers to a solid with two flat sides.
fn extruded(image: &RgbaImage, frame: Frame, depth: f64) -> Solid {
    let edge = image.width() as usize / 2;
    let step = frame.edge / edge as f64;
    let covers = |x: i64, y: i64| {
        let inside = (0..edge as i64).contains(&x) && (0..edge as i64).contains(&y);
        inside && image.get_pixel(2 * x as u32, 2 * y as u32)[3] > 127
    };
    let mut solid = Solid::default();
    let mut quad = |corners: [[f64; 3]; 4]| {
        let first = solid.points.len() as u32;
        solid.points.extend(corners.map(|[x, y, z]| {
            let (x, y) = (
                frame.x + (x - edge as f64 / 2.0) * step,
                frame.y - (y - edge as f64 / 2.0) * step,
            );
            DVec3::new(x, y, z * depth)
        }));
        solid
            .triangles
            .extend([[first, first + 1, first + 2], [first, first + 2, first + 3]]);
    };
    for (x, y) in (0..edge as i64).flat_map(|y| (0..edge as i64).map(move |x| (x, y))) {
        if !covers(x, y) {
            continue;
        }
        let (l, t) = (x as f64, y as f64);
        let (r, b) = (l + 1.0, t + 1.0);
        quad([[l, b, 0.5], [r, b, 0.5], [r, t, 0.5], [l, t, 0.5]]);
        quad([[l, t, -0.5], [r, t, -0.5], [r, b, -0.5], [l, b, -0.5]]);
        for (dx, dy, from, to) in [
            (-1, 0, [l, t], [l, b]),
            (1, 0, [r, b], [r, t]),
            (0, -1, [r, t], [l, t]),
            (0, 1, [l, b], [r, b]),
        ] {
            if !covers(x + dx, y + dy) {
                quad([
                    [from[0], from[1], -0.5],
                    [to[0], to[1], -0.5],
                    [to[0], to[1], 0.5],
                    [from[0], from[1], 0.5],
                ]);
            }
        }
    }
    solid
}

/// The emoji, by the names of their files: heads, animals, food, things.
const EMOJI: [&str; 72] = [
    "1f600", "1f60d", "1f60e", "1f973", "1f920", "1f916", "1f47d", "1f47b", "1f383", "1f480",
    "1f436", "1f431", "1f42d", "1f439", "1f430", "1f98a", "1f43b", "1f43c", "1f428", "1f42f",
    "1f981", "1f42e", "1f437", "1f438", "1f435", "1f414", "1f427", "1f986", "1f989", "1f984",
    "1f41d", "1f422", "1f40d", "1f419", "1f433", "1f42c", "1f418", "1f992", "1f995", "1f34e",
    "1f350", "1f34c", "1f349", "1f353", "1f352", "1f951", "1f346", "1f955", "1f33d", "1f344",
    "1f354", "1f355", "1f32d", "1f369", "1f382", "1f9c1", "1f366", "1f37a", "2615", "1f697",
    "1f680", "26f5", "1f3e0", "26bd", "1f3c0", "1f3b8", "1f514", "1f4a1", "1f4f7", "1f381",
    "1f451", "1f9f8",
];
/// The emoji at the beginning that show heads, each with a face.
const HEADS: usize = 24;

fn measure_emoji(folder: &Path, sheets: Option<&Path>) -> Result<Value, Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut solids = Vec::new();
    for name in EMOJI {
        let image = image::open(folder.join(name).with_extension("webp"))?;
        let solid = sculpted(&image, ShapeChoice::Auto)?;
        rows.push(json!({ "name": name, "stands": solid.stands(), "stretched": solid.stretched_part(3.0) }));
        solids.push(solid);
    }
    if let Some(folder) = sheets {
        let turned = |angle: f64| DMat3::from_rotation_y(angle);
        let views = [
            turned(0.0),
            turned(std::f64::consts::PI),
            turned(-0.9),
            turned(-1.57),
            DMat3::from_rotation_x(-0.9),
        ];
        for (part, solids) in solids.chunks(HEADS).enumerate() {
            let columns = 4 * views.len() as u32;
            let mut sheet = RgbImage::new(
                columns * CELL / 2,
                CELL * solids.len().div_ceil(4) as u32 / 2,
            );
            for (at, solid) in solids.iter().enumerate() {
                for (column, view) in views.iter().enumerate() {
                    let solid = solid.clone().rotated(*view);
                    let image = picture(
                        &solid,
                        Frame::around(&solid),
                        CELL as usize / 2,
                        Shading::Soft,
                    );
                    let left = (at % 4 * views.len() + column) as u32;
                    put(
                        &mut sheet,
                        &image,
                        left * CELL / 2,
                        (at / 4) as u32 * CELL / 2,
                    );
                }
            }
            sheet.save(folder.join(format!("emoji-{part}.png")))?;
        }
    }
    Ok(rows.into())
}
