//! What `low_poly` makes of a model that was made elsewhere.
#![allow(missing_docs)]

mod support;

use std::collections::HashMap;
use std::f32::consts::TAU;

use contract::{Parameters, Resolution};
use image::{ImageFormat, Rgb, RgbImage};
use sculpt::{ImportedGlb, import_glb};
use serde_json::{Value, json};
use support::{Model, glb, json_of, keep, textured};

/// Squares around a ring, and around its section.
const AROUND: usize = 240;
const ACROSS: usize = 100;
/// The texture is cut into pieces of so many squares by so many.
const PIECE: usize = 20;
const PIECES: [usize; 2] = [AROUND / PIECE, ACROSS / PIECE];
/// So much of a piece's square in the texture is its picture.
const FILLED: f32 = 0.9;

/// A place on a knobbly ring, by two angles in parts of a turn.
fn ring(around: f32, across: f32) -> [f32; 3] {
    let (a, b) = (TAU * around, TAU * across);
    let bump = 0.06 * (9.0 * a).sin() * (3.0 * b).cos() + 0.02 * (23.0 * a + 7.0 * b).sin();
    let radius = 0.4 + bump;
    let out = 1.0 + radius * b.cos();
    [out * a.cos(), radius * b.sin(), -out * a.sin()]
}

/// Where the texture has it: piece after piece, with the first piece's row and column left out of
/// it, as those programs do that unfold models.
fn unfolded(piece: [usize; 2], around: f32, across: f32) -> [f32; 2] {
    let inside = |turns: f32, count: usize, piece: usize| {
        let own = turns * count as f32 - piece as f32;
        (piece as f32 + 0.05 + FILLED * own) / count as f32
    };
    // The pieces lie in another order than on the ring.
    [
        inside(around, PIECES[0], piece[0]),
        1.0 - inside(across, PIECES[1], piece[1]),
    ]
}

/// The place on the ring that the texture has there.
fn folded([u, v]: [f32; 2]) -> [f32; 3] {
    let turns = |place: f32, count: usize| {
        let piece = (place * count as f32).floor();
        let own = (place * count as f32 - piece - 0.05) / FILLED;
        (piece + own) / count as f32
    };
    ring(turns(u, PIECES[0]), turns(1.0 - v, PIECES[1]))
}

/// A ring of 48,000 triangles with a texture in 60 pieces.
struct Ring {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    uvs: Vec<[f32; 2]>,
    corners: Vec<u32>,
}

impl Ring {
    fn new() -> Self {
        let mut ring = Self {
            positions: Vec::new(),
            normals: Vec::new(),
            uvs: Vec::new(),
            corners: Vec::new(),
        };
        for piece in 0..PIECES[0] * PIECES[1] {
            let piece = [piece % PIECES[0], piece / PIECES[0]];
            let first = ring.positions.len();
            for at in 0..(PIECE + 1) * (PIECE + 1) {
                let [x, y] = [
                    piece[0] * PIECE + at % (PIECE + 1),
                    piece[1] * PIECE + at / (PIECE + 1),
                ];
                let turns =
                    |x: usize, y: usize| [x as f32 / AROUND as f32, y as f32 / ACROSS as f32];
                let [around, across] = turns(x, y);
                ring.uvs.push(unfolded(piece, around, across));
                // The last is the first, to the last bit.
                let [around, across] = turns(x % AROUND, y % ACROSS);
                ring.positions.push(self::ring(around, across));
                ring.normals.push(normal(around, across));
            }
            for at in 0..PIECE * PIECE {
                let corner = first + at / PIECE * (PIECE + 1) + at % PIECE;
                let [a, b] = [corner, corner + 1];
                let [c, d] = [a + PIECE + 1, b + PIECE + 1];
                ring.corners.extend([a, b, d, a, d, c].map(|at| at as u32));
            }
        }
        ring
    }

    /// Each face with corners of its own, and their light that of the face.
    fn faceted(self) -> Self {
        let all = self.corners.iter().map(|at| *at as usize);
        let positions: Vec<_> = all.clone().map(|at| self.positions[at]).collect();
        let normals = positions
            .chunks_exact(3)
            .flat_map(|face| [unit(across([face[0], face[1], face[2]])); 3]);
        Self {
            normals: normals.collect(),
            uvs: all.map(|at| self.uvs[at]).collect(),
            corners: (0..self.corners.len() as u32).collect(),
            positions,
        }
    }

    /// The file: JSON, and the bytes behind it.
    fn file(&self) -> (Value, Vec<u8>) {
        let (views, bin) = self.bytes();
        let vertices = self.positions.len();
        let mut picture = std::io::Cursor::new(Vec::new());
        let pixels = RgbImage::from_fn(256, 256, |x, y| Rgb([x as u8, y as u8, 7]));
        pixels.write_to(&mut picture, ImageFormat::Png).unwrap();
        let (picture, mut bin, mut views) = (picture.into_inner(), bin, views);
        views.push(json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": picture.len()}));
        bin.extend(picture);
        bin.resize(bin.len().next_multiple_of(4), 0);
        let vectors = |view: usize, kind: &str| json!({"bufferView": view, "componentType": 5126, "count": vertices, "type": kind});
        let mut accessors = [
            vectors(0, "VEC3"),
            vectors(1, "VEC3"),
            vectors(2, "VEC2"),
            json!({"bufferView": 3, "componentType": 5125, "count": self.corners.len(), "type": "SCALAR"}),
        ];
        (accessors[0]["min"], accessors[0]["max"]) = (json!([-2, -2, -2]), json!([2, 2, 2]));
        let json = json!({
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [{
                "attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0,
            }]}],
            "materials": [{"name": "skin", "pbrMetallicRoughness": {
                "baseColorTexture": {"index": 0}, "metallicFactor": 0.25}}],
            "textures": [{"source": 0}],
            "images": [{"bufferView": 4, "mimeType": "image/png"}],
            "accessors": accessors,
            "bufferViews": views,
            "buffers": [{"byteLength": bin.len()}],
        });
        (json, bin)
    }

    fn bytes(&self) -> (Vec<Value>, Vec<u8>) {
        let mut bin = Vec::new();
        let mut views = Vec::new();
        let mut add = |bytes: Vec<u8>| {
            views.push(json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": bytes.len()}));
            bin.extend(bytes);
        };
        let floats = |numbers: &mut dyn Iterator<Item = &f32>| {
            numbers.flat_map(|x| x.to_le_bytes()).collect()
        };
        add(floats(&mut self.positions.iter().flatten()));
        add(floats(&mut self.normals.iter().flatten()));
        add(floats(&mut self.uvs.iter().flatten()));
        add(self
            .corners
            .iter()
            .flat_map(|at| at.to_le_bytes())
            .collect());
        (views, bin)
    }

    fn glb(&self) -> Vec<u8> {
        let (json, bin) = self.file();
        glb(&json, bin)
    }
}

fn normal(around: f32, across: f32) -> [f32; 3] {
    let step = 1e-3;
    let [a, b] = [ring(around - step, across), ring(around + step, across)];
    let [c, d] = [ring(around, across - step), ring(around, across + step)];
    unit(cross(minus(b, a), minus(d, c)))
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [0, 1, 2].map(|axis| a[axis] - b[axis])
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [0, 1, 2].map(|axis| {
        let [y, z] = [(axis + 1) % 3, (axis + 2) % 3];
        a[y] * b[z] - a[z] * b[y]
    })
}

/// A face's direction, as long as it is large.
fn across([a, b, c]: [[f32; 3]; 3]) -> [f32; 3] {
    cross(minus(b, a), minus(c, a))
}

fn length(vector: [f32; 3]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

fn unit(vector: [f32; 3]) -> [f32; 3] {
    let length = length(vector).max(f32::MIN_POSITIVE);
    vector.map(|x| x / length)
}

fn low() -> Parameters {
    Parameters {
        resolution: Some(Resolution::LowPoly),
        ..textured()
    }
}

fn simplified(glb: &[u8]) -> (ImportedGlb, Model) {
    let imported = import_glb(glb, &low(), 0).unwrap();
    let model = Model::read(&imported.glb);
    (imported, model)
}

/// How far the texture is from where it was painted for, in parts of the ring's width: on average,
/// and at most.
fn strayed(model: &Model) -> [f32; 2] {
    const WIDTH: f32 = 3.0;
    let (mut sum, mut most, mut count) = (0.0, 0.0f32, 0.0);
    for triangle in &model.triangles {
        let corners = model.corners(*triangle);
        let uvs = triangle.map(|at| model.uvs[at as usize]);
        for weights in [
            [1.0, 0.0, 0.0],
            [0.4, 0.3, 0.3],
            [0.1, 0.8, 0.1],
            [0.1, 0.1, 0.8],
        ] {
            let mixed = |values: [f32; 3]| (0..3).map(|at| weights[at] * values[at]).sum::<f32>();
            let place = [0, 1, 2].map(|axis| mixed(corners.map(|corner| corner[axis])));
            let uv = [0, 1].map(|axis| mixed(uvs.map(|uv| uv[axis])));
            let away = length(minus(place, folded(uv))) / WIDTH;
            (sum, most, count) = (sum + away, most.max(away), count + 1.0);
        }
    }
    [sum / count, most]
}

/// How much of what one of two models covers the other covers too, seen along each axis.
fn same_outline(a: &Model, b: &Model) -> [f32; 3] {
    [0, 1, 2].map(|axis| {
        let (a, b) = (outline(a, axis), outline(b, axis));
        let count = |both: fn(bool, bool) -> bool| {
            let pairs = a.iter().zip(&b);
            pairs.filter(|(a, b)| both(**a, **b)).count() as f32
        };
        count(|a, b| a && b) / count(|a, b| a || b)
    })
}

fn outline(model: &Model, axis: usize) -> Vec<bool> {
    const EDGE: usize = 256;
    let (low, high) = ([-1.6; 3], [1.6; 3]);
    let [x, y] = [(axis + 1) % 3, (axis + 2) % 3];
    let mut covered = vec![false; EDGE * EDGE];
    let scaled = |place: [f32; 3]| {
        [x, y].map(|axis| EDGE as f32 * (place[axis] - low[axis]) / (high[axis] - low[axis]))
    };
    for triangle in &model.triangles {
        let corners = model.corners(*triangle).map(scaled);
        let bound = |axis: usize, choose: fn(f32, f32) -> f32| {
            let numbers = corners.map(|corner| corner[axis]);
            numbers.into_iter().reduce(choose).unwrap().max(0.0) as usize
        };
        for row in bound(1, f32::min)..=bound(1, f32::max).min(EDGE - 1) {
            for column in bound(0, f32::min)..=bound(0, f32::max).min(EDGE - 1) {
                let point = [column as f32 + 0.5, row as f32 + 0.5];
                let side = |from: usize| {
                    let (a, b) = (corners[from], corners[(from + 1) % 3]);
                    (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
                };
                let sides = [side(0), side(1), side(2)];
                covered[row * EDGE + column] |=
                    sides.iter().all(|side| *side >= 0.0) || sides.iter().all(|side| *side <= 0.0);
            }
        }
    }
    covered
}

/// Each edge is gone along as often in one direction as in the other, once equal positions are one.
/// Where two sides of the model have come together it is more than once.
fn assert_closed(model: &Model) {
    let mut edges: HashMap<_, i32> = HashMap::new();
    for triangle in &model.triangles {
        let corners = model
            .corners(*triangle)
            .map(|place| place.map(f32::to_bits));
        for (a, b) in [(0, 1), (1, 2), (2, 0)].map(|(a, b)| (corners[a], corners[b])) {
            *edges.entry((a.min(b), a.max(b))).or_default() += if a < b { 1 } else { -1 };
        }
    }
    let open = edges.values().filter(|sum| **sum != 0).count();
    assert_eq!(
        open,
        0,
        "edges with a face on one side alone, of {}",
        edges.len()
    );
}

/// How much of the faces' light comes from where they look, on average.
fn lit(model: &Model) -> f32 {
    let (mut sum, mut area) = (0.0, 0.0);
    for triangle in &model.triangles {
        let face = across(model.corners(*triangle));
        for at in triangle {
            let normal = model.normals[*at as usize];
            assert!((length(normal) - 1.0).abs() < 1e-3, "{normal:?}");
            sum += (0..3).map(|axis| normal[axis] * face[axis]).sum::<f32>();
            area += length(face);
        }
    }
    sum / area
}

#[test]
fn a_model_of_few_faces_keeps_its_form_and_its_texture() {
    let ring = Ring::new();
    let whole = ring.glb();
    let before = Model::read(&whole);
    before.assert_solid("before");
    let (imported, model) = simplified(&whole);
    assert!(
        imported.unsupported.is_empty(),
        "{:?}",
        imported.unsupported
    );
    keep("foreign-low-poly", &imported.glb);
    let faces = model.triangles.len();
    let [mean, most] = strayed(&model);
    let outlines = same_outline(&before, &model);
    println!(
        "{} faces of {}, {} vertices of {}, {} bytes of {}; the texture strays by {:.3} %, {:.3} % at most; \
         outlines {outlines:.4?}; light {:.4} of {:.4}",
        faces,
        before.triangles.len(),
        model.positions.len(),
        before.positions.len(),
        imported.glb.len(),
        whole.len(),
        100.0 * mean,
        100.0 * most,
        lit(&model),
        lit(&before),
    );
    assert!((4_000..=5_500).contains(&faces), "{faces}");
    assert_closed(&model);
    assert!(mean < 0.0015 && most < 0.01, "{mean} {most}");
    assert!(outlines.iter().all(|same| *same > 0.99), "{outlines:?}");
    assert!(lit(&model) > 0.93);
    let (is, was) = (json_of(&imported.glb), json_of(&whole));
    for name in ["materials", "textures"] {
        assert_eq!(is[name], was[name]);
    }
    assert_eq!(model.texture.unwrap(), before.texture.unwrap());
    assert!(imported.glb.len() < whole.len() / 4);
}

#[test]
fn a_faceted_model_of_few_faces_is_lit_from_where_they_look() {
    let whole = Ring::new().faceted();
    let (mut json, bin) = whole.file();
    // Without indices: each three vertices are a face.
    let primitive = json["meshes"][0]["primitives"][0].as_object_mut().unwrap();
    primitive.remove("indices");
    let whole = glb(&json, bin);
    let imported = import_glb(&whole, &low(), 0).unwrap();
    assert!(imported.unsupported.is_empty());
    keep("foreign-faceted-low-poly", &imported.glb);
    let model = Model::read(&imported.glb);
    println!(
        "{} faces; strays {:?}, light {}",
        model.triangles.len(),
        strayed(&model),
        lit(&model)
    );
    assert!(model.triangles.len() <= 5_500);
    assert!(strayed(&model)[1] < 0.01);
    assert!(lit(&model) > 0.93, "{}", lit(&model));
}

/// The ring in primitives of so many faces, on vertices of their own and with small indices.
fn split(ring: &Ring, faces: usize) -> Vec<u8> {
    let (mut json, mut bin) = ring.file();
    let picture = json["bufferViews"][4].clone();
    let (mut views, mut accessors, mut primitives) = (vec![picture], Vec::new(), Vec::new());
    let mut accessor = |bytes: Vec<u8>, count: usize, kind: &str, component: u32| {
        let mut view = json!({"buffer": 0, "byteOffset": bin.len(), "byteLength": bytes.len()});
        if component == 5121 && kind == "VEC3" {
            view["byteStride"] = 4.into();
        }
        accessors.push(
            json!({"bufferView": views.len(), "componentType": component,
            "normalized": kind != "SCALAR" && component != 5126, "count": count, "type": kind,
            "min": vec![-2; 3], "max": vec![2; 3]}),
        );
        views.push(view);
        bin.extend(bytes);
        bin.resize(bin.len().next_multiple_of(4), 0);
        accessors.len() - 1
    };
    let bytes = |numbers: &mut dyn Iterator<Item = &f32>| -> Vec<u8> {
        numbers.flat_map(|number| number.to_le_bytes()).collect()
    };
    for corners in ring.corners.chunks(3 * faces) {
        let first = *corners.iter().min().unwrap();
        let of = first as usize..=*corners.iter().max().unwrap() as usize;
        let count = of.clone().count();
        let corners = corners.iter().map(|at| at - first);
        let (corners, size) = match count < 256 {
            true => (corners.map(|at| at as u8).collect(), 5121),
            false => (
                corners.flat_map(|at| (at as u16).to_le_bytes()).collect(),
                5123,
            ),
        };
        let colours = ring.positions[of.clone()].iter();
        // Three bytes, and one between each two.
        let colours = colours.flat_map(|place| colour(*place).into_iter().chain([0]));
        let mut vectors = |numbers: Vec<u8>, kind| accessor(numbers, count, kind, 5126);
        let positions = vectors(
            bytes(&mut ring.positions[of.clone()].iter().flatten()),
            "VEC3",
        );
        let normals = vectors(
            bytes(&mut ring.normals[of.clone()].iter().flatten()),
            "VEC3",
        );
        let places = vectors(bytes(&mut ring.uvs[of].iter().flatten()), "VEC2");
        let colours = accessor(colours.collect(), count, "VEC3", 5121);
        primitives.push(json!({
            "attributes": {
                "POSITION": positions, "NORMAL": normals, "TEXCOORD_0": places, "COLOR_0": colours,
            },
            "indices": accessor(corners, 3 * faces, "SCALAR", size),
            "material": 0,
        }));
    }
    // Only those of positions are bounds of three numbers.
    for (at, accessor) in accessors.iter_mut().enumerate() {
        let fields = accessor.as_object_mut().unwrap();
        fields.retain(|name, _| at % 5 == 0 || (name != "min" && name != "max"));
    }
    json["meshes"][0]["primitives"] = primitives.into();
    json["accessors"] = accessors.into();
    json["bufferViews"] = views.into();
    json["images"][0]["bufferView"] = 0.into();
    json["buffers"][0]["byteLength"] = bin.len().into();
    glb(&json, bin)
}

/// All primitives of a file in one, whose vertices have their colours still.
fn joined(glb: &[u8]) -> Model {
    let (document, buffers, _) = gltf::import_slice(glb).unwrap();
    let mut joined = Model::read(glb);
    (joined.positions, joined.triangles) = (Vec::new(), Vec::new());
    for primitive in document.meshes().flat_map(|mesh| mesh.primitives()) {
        let reader = primitive.reader(|buffer| Some(&buffers[buffer.index()]));
        let first = joined.positions.len() as u32;
        joined.positions.extend(reader.read_positions().unwrap());
        let corners: Vec<u32> = reader.read_indices().unwrap().into_u32().collect();
        let faces = corners.chunks_exact(3);
        let faces = faces.map(|face| [0, 1, 2].map(|at| first + face[at]));
        joined.triangles.extend(faces);
        let colours = reader.read_colors(0).unwrap().into_rgb_u8();
        for (came, place) in colours.zip(&joined.positions[first as usize..]) {
            assert_eq!(came, colour(*place));
        }
    }
    joined
}

#[test]
fn parts_still_meet_where_they_did() {
    let imported = import_glb(&split(&Ring::new(), 24_000), &low(), 0).unwrap();
    assert!(imported.unsupported.is_empty());
    keep("foreign-parts-low-poly", &imported.glb);
    let model = joined(&imported.glb);
    let faces = model.triangles.len();
    assert!((4_000..=5_500).contains(&faces), "{faces}");
    assert_closed(&model);
}

#[test]
fn what_cannot_be_fewer_is_named() {
    // The borders of so many parts alone are too many faces.
    let imported = import_glb(&split(&Ring::new(), 200), &low(), 0).unwrap();
    assert_eq!(imported.unsupported, ["resolution"]);
    keep("foreign-many-parts-low-poly", &imported.glb);
    let model = joined(&imported.glb);
    let faces = model.triangles.len();
    assert!((10_000..24_000).contains(&faces), "{faces}");
    assert_closed(&model);
}

/// A colour of its own for each place, before it was centred as well as after.
fn colour(place: [f32; 3]) -> [u8; 3] {
    place.map(|x| (100.0 + 50.0 * x) as u8)
}

#[test]
fn a_model_without_a_texture_has_no_cuts() {
    let bare = Parameters {
        generate_texture: None,
        ..low()
    };
    let imported = import_glb(&Ring::new().glb(), &bare, 0).unwrap();
    keep("foreign-bare-low-poly", &imported.glb);
    let model = Model::read(&imported.glb);
    assert!(imported.unsupported.is_empty() && model.uvs.is_empty());
    assert_closed(&model);
    // A closed surface like a ring has half as many corners as faces; cuts would add to them.
    assert!(model.positions.len() <= model.triangles.len() / 2);
    // What is few enough stays as it is.
    let again = Model::read(&import_glb(&imported.glb, &bare, 0).unwrap().glb);
    assert_eq!(
        (again.positions, again.triangles),
        (model.positions, model.triangles)
    );
}

#[test]
fn what_is_packed_otherwise_stays_and_is_named() {
    let ring = Ring::new();
    for what in [
        "draco",
        "meshopt",
        "sparse",
        "targets",
        "shared",
        "strip",
        "quantized",
        "beyond",
    ] {
        let (mut json, mut bin) = ring.file();
        let primitive = &mut json["meshes"][0]["primitives"][0];
        match what {
            "draco" => {
                let packed = json!({"bufferView": 0, "attributes": {"POSITION": 0}});
                primitive["extensions"] = json!({"KHR_draco_mesh_compression": packed});
            }
            "targets" => primitive["targets"] = json!([{"POSITION": 0}]),
            "strip" => primitive["mode"] = 5.into(),
            "shared" => {
                let again = primitive.clone();
                json["meshes"][0]["primitives"] = json!([again, again]);
            }
            "meshopt" => {
                json["bufferViews"][3]["extensions"] = json!({"EXT_meshopt_compression": {}})
            }
            "sparse" => json["accessors"][2]["sparse"] = json!({"count": 1}),
            "quantized" => json["accessors"][0]["componentType"] = 5122.into(),
            // A corner that is not there.
            _ => {
                let at = json["bufferViews"][3]["byteOffset"].as_u64().unwrap() as usize;
                bin[at..at + 4].copy_from_slice(&26_460u32.to_le_bytes());
            }
        }
        let imported = import_glb(&glb(&json, bin), &low(), 0).unwrap();
        assert_eq!(imported.unsupported, ["resolution"], "{what}");
        let after = json_of(&imported.glb);
        assert_eq!(after["accessors"][3]["count"], 144_000, "{what}");
        assert_eq!(after["meshes"], json["meshes"], "{what}");
    }
}
