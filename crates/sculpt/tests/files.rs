//! The effect of each parameter, and the files that a model is converted to.

mod support;

use std::collections::HashSet;
use std::io::{Cursor, Read};

use contract::{Creativity, Parameters, PreviewMesh, RefineSpeed, Resolution, Topology};
use image::{GenericImageView, Rgba, RgbaImage};
use sculpt::{Detail, Format, ModelRequest, convert};
use support::*;

fn made(parameters: &Parameters) -> Vec<u8> {
    sculpt(&sample("turtle.webp"), parameters).unwrap()
}

fn obj(glb: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8(convert(glb, Format::Obj).unwrap()).unwrap();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    text.lines().map(words).collect()
}

fn count(obj: &[Vec<String>], word: &str) -> usize {
    obj.iter().filter(|line| line[0] == word).count()
}

/// Returns the numbers of vertices that faces have.
fn sides(obj: &[Vec<String>]) -> HashSet<usize> {
    obj.iter()
        .filter(|line| line[0] == "f")
        .map(|line| line.len() - 1)
        .collect()
}

fn near(a: f32, b: f64, size: f64) -> bool {
    (f64::from(a) - b).abs() <= 1e-5 * size
}

#[test]
fn applies_every_parameter() {
    let plain = Parameters::default();
    println!(
        "{:<44} {:>9} {:>9} {:>24} {:>12}",
        "parameters", "vertices", "faces", "size", "texture"
    );
    let row = |label: &str, parameters: &Parameters, detail: Detail| {
        let glb = sculpt_at(&sample("turtle.webp"), parameters, detail).unwrap();
        let model = Model::read(&glb);
        model.assert_solid(label);
        let texture = model.texture.as_ref().map(|texture| texture.dimensions());
        let faces = count(&obj(&glb), "f");
        let size = model.size().map(|edge| format!("{edge:.3}")).join(" × ");
        let shown = texture.map_or("none".into(), |(width, height)| {
            format!("{width} × {height}")
        });
        println!(
            "{label:<44} {:>9} {faces:>9} {size:>24} {shown:>12}",
            model.positions.len()
        );
        (glb, model, faces)
    };
    let (tris, ..) = row("defaults", &plain, Detail::Preview);
    assert_eq!(sides(&obj(&tris)), HashSet::from([3]));

    let (_, model, _) = row("generate_texture: true", &textured(), Detail::Preview);
    assert!(model.texture.is_some() && model.uvs.len() == model.positions.len());
    let (_, model, _) = row("generate_texture: false", &plain, Detail::Preview);
    assert!(model.texture.is_none() && model.uvs.is_empty());

    let turbo = Parameters {
        preview_mesh: Some(PreviewMesh::Turbo),
        ..plain.clone()
    };
    assert!(
        row("preview_mesh: turbo", &turbo, Detail::Preview)
            .1
            .texture
            .is_some()
    );

    for resolution in [Resolution::HighPoly, Resolution::LowPoly] {
        for topology in [Topology::Tris, Topology::Quads] {
            let parameters = Parameters {
                resolution: Some(resolution),
                topology: Some(topology),
                ..textured()
            };
            let label = format!("resolution: {resolution:?}, topology: {topology:?}");
            let (glb, _, faces) = row(&label, &parameters, Detail::Preview);
            let (_, _, finer) = row(&format!("{label}, refined"), &parameters, Detail::Refined);
            let corners = if topology == Topology::Tris { 3 } else { 4 };
            assert_eq!(sides(&obj(&glb)), HashSet::from([corners]), "{label}");
            let (expected, more) = match resolution {
                Resolution::HighPoly => (10_000..100_000, 2.0),
                Resolution::LowPoly => (150..500, 1.5),
            };
            assert!(expected.contains(&faces), "{label}: {faces}");
            assert!(
                finer as f64 > more * faces as f64,
                "{label}: {finer} after {faces}"
            );
        }
    }

    let large = sample("turtle.webp").resize_exact(1500, 1200, image::imageops::Triangle);
    for edge in contract::TEXTURE_RESOLUTIONS {
        let parameters = Parameters {
            texture_resolution: Some(edge),
            ..textured()
        };
        let texture = Model::read(&sculpt(&large, &parameters).unwrap())
            .texture
            .unwrap();
        let longer = texture.width().max(texture.height());
        println!("texture_resolution: {edge:<24} {longer} of an image of 1500 × 1200");
        // The turtle is shorter than the image.
        assert_eq!(longer, edge.min(longer));
        assert!(
            longer == edge || (edge == 2048 && (1300..1500).contains(&longer)),
            "{edge}: {longer}"
        );
    }

    for size in [
        [1.0, 2.0, 3.0],
        [0.001, 1000.0, 1.0],
        [1e-6, 1e-6, 1e-6],
        [3e4, 7e4, 1e-3],
    ] {
        for pivot in [
            [0.0; 3],
            [-0.5; 3],
            [0.5; 3],
            [0.0, -0.5, 0.0],
            [0.1, -0.2, 0.3],
        ] {
            let parameters = Parameters {
                scaled_bbox: Some(size),
                pivot_point: Some(pivot),
                resolution: Some(Resolution::LowPoly),
                ..textured()
            };
            let label = format!("scaled_bbox: {size:?}, pivot_point: {pivot:?}");
            let model = Model::read(&made(&parameters));
            let (low, high) = model.bounds();
            for axis in 0..3 {
                let (start, end) = (-0.5 - pivot[axis], 0.5 - pivot[axis]);
                assert!(
                    near(low[axis], start * size[axis], size[axis]),
                    "{label}: {low:?}"
                );
                assert!(
                    near(high[axis], end * size[axis], size[axis]),
                    "{label}: {high:?}"
                );
            }
        }
    }
    println!("scaled_bbox and pivot_point: 20 boxes, each edge and origin within 1e-5 of the edge");

    // Parameters without an effect.
    for parameters in [
        Parameters {
            creativity: Some(Creativity::Highest),
            ..plain.clone()
        },
        Parameters {
            refine_speed: Some(RefineSpeed::Fast),
            ..plain.clone()
        },
    ] {
        assert_eq!(made(&parameters), tris);
    }
    println!("creativity, refine_speed: no effect on the file");
}

#[test]
fn low_poly_keeps_the_outline() {
    let parameters = Parameters {
        resolution: Some(Resolution::LowPoly),
        ..textured()
    };
    for name in &SAMPLES[..3] {
        let fine = Model::read(&sculpt(&sample(name), &textured()).unwrap());
        let low = Model::read(&sculpt(&sample(name), &parameters).unwrap());
        let (fine, low) = (fine.depths(150, 150), low.depths(150, 150));
        let pairs = || {
            fine.iter()
                .zip(&low)
                .map(|(a, b)| (a.is_some(), b.is_some()))
        };
        let both = pairs().filter(|(a, b)| *a && *b).count();
        let either = pairs().filter(|(a, b)| *a || *b).count();
        let iou = both as f64 / either as f64;
        println!("{name}: low_poly against high_poly, IoU {iou:.3}");
        assert!(iou > 0.93, "{name}: {iou}");
    }
}

#[test]
fn rotates_the_chosen_view_to_the_front() {
    let image = sample("turtle.webp");
    let model = |view: usize| {
        let request = ModelRequest {
            image: &image,
            cutout: &cut_out(&image).unwrap(),
            parameters: &textured(),
            detail: Detail::Preview,
            view,
        };
        Model::read(
            &sculpt::sculpt(&request, &mut |_| std::ops::ControlFlow::Continue(())).unwrap(),
        )
    };
    let (front, side, back) = (model(0), model(1), model(2));
    side.assert_solid("from the side");
    // Rotated by half a turn: x and z change their signs.
    for (position, turned) in front.positions.iter().zip(&back.positions) {
        for (a, b) in [
            (position[0], -turned[0]),
            (position[1], turned[1]),
            (position[2], -turned[2]),
        ] {
            assert!((a - b).abs() < 1e-4, "{position:?} {turned:?}");
        }
    }
    assert!(side.size()[2] > front.size()[2]);
}

#[test]
fn rejects_coordinates_beyond_32_bit_floats() {
    let parameters = Parameters {
        scaled_bbox: Some([1e300, 1.0, 1.0]),
        ..textured()
    };
    let error = sculpt(&sample("turtle.webp"), &parameters).unwrap_err();
    let message = "scaled_bbox: the model's coordinates exceed the range of 32-bit floats (about \
                   3.4e38): expected a smaller scaled_bbox or pivot_point";
    assert_eq!(error, sculpt::ModelError::Failed(message.into()));
}

#[test]
fn zips_obj_material_and_texture() {
    let glb = made(&textured());
    let mut zip = zip::ZipArchive::new(Cursor::new(convert(&glb, Format::Zip).unwrap())).unwrap();
    let mut file = |name: &str| {
        let mut bytes = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let obj = text(file("model.obj"));
    assert!(obj.starts_with("mtllib model.mtl\nusemtl model\n"));
    let mtl = text(file("model.mtl"));
    assert!(mtl.starts_with("newmtl model\n") && mtl.contains("map_Kd texture.jpg"));
    let texture = image::load_from_memory(&file("texture.jpg")).unwrap();
    let inside = Model::read(&glb).texture.unwrap();
    assert_eq!(texture.dimensions(), inside.dimensions());

    let plain = convert(&made(&Parameters::default()), Format::Zip).unwrap();
    let names: Vec<_> = zip::ZipArchive::new(Cursor::new(plain))
        .unwrap()
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert!(
        !names.iter().any(|name| name.starts_with("texture")),
        "{names:?}"
    );
}

#[test]
fn writes_the_same_mesh_as_obj() {
    for topology in [Topology::Tris, Topology::Quads] {
        let glb = made(&Parameters {
            topology: Some(topology),
            ..textured()
        });
        let model = Model::read(&glb);
        let obj = obj(&glb);
        let positions: Vec<Vec<f32>> = obj
            .iter()
            .filter(|line| line[0] == "v")
            .map(|line| line[1..].iter().map(|x| x.parse().unwrap()).collect())
            .collect();
        assert_eq!(
            positions,
            model
                .positions
                .iter()
                .map(|place| place.to_vec())
                .collect::<Vec<_>>()
        );
        assert_eq!(count(&obj, "vt"), positions.len());
        assert_eq!(count(&obj, "vn"), positions.len());
        // A quad of the OBJ is two triangles of the GLB, cut along the diagonal of its first vertex.
        let mut triangles = Vec::new();
        for face in obj.iter().filter(|line| line[0] == "f") {
            let corner =
                |word: &String| word.split('/').next().unwrap().parse::<u32>().unwrap() - 1;
            let corners: Vec<_> = face[1..].iter().map(corner).collect();
            triangles.extend(
                corners[1..]
                    .windows(2)
                    .map(|pair| [corners[0], pair[0], pair[1]]),
            );
        }
        assert_eq!(triangles, model.triangles);
    }
}

#[test]
fn writes_stl_in_millimeters_with_z_up() {
    let parameters = Parameters {
        scaled_bbox: Some([0.05, 0.08, 0.03]),
        pivot_point: Some([0.0, -0.5, 0.0]),
        ..Parameters::default()
    };
    let glb = made(&parameters);
    let stl = convert(&glb, Format::Stl).unwrap();
    let triangles = Model::read(&glb).triangles.len();
    assert_eq!(stl.len(), 84 + 50 * triangles);
    assert_eq!(stl[80..84], (triangles as u32).to_le_bytes());
    let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
    for face in stl[84..].chunks_exact(50) {
        for (at, bytes) in face[12..48].chunks_exact(4).enumerate() {
            let number = f32::from_le_bytes(bytes.try_into().unwrap());
            low[at % 3] = low[at % 3].min(number);
            high[at % 3] = high[at % 3].max(number);
        }
    }
    let expected = [(-25.0, 25.0), (-15.0, 15.0), (0.0, 80.0)];
    for (axis, (start, end)) in expected.into_iter().enumerate() {
        assert!(
            near(low[axis], start, 80.0) && near(high[axis], end, 80.0),
            "{low:?} {high:?}"
        );
    }
}

#[test]
fn converts_meshes_where_their_nodes_put_them() {
    // One triangle, moved by its node and by the node above it.
    let mut bin = Vec::new();
    for number in [0.0f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0] {
        bin.extend(number.to_le_bytes());
    }
    let json = serde_json::json!({
        "asset": { "version": "2.0" },
        "scenes": [{ "nodes": [0] }],
        "nodes": [
            { "children": [1], "translation": [10, 0, 0] },
            { "mesh": 0, "scale": [2, 3, 4], "translation": [0, 5, 0] },
        ],
        "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 } }] }],
        "accessors": [{ "bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0] }],
        "bufferViews": [{ "buffer": 0, "byteLength": 36 }],
        "buffers": [{ "byteLength": 36 }],
    });
    let glb = gltf::Glb {
        header: gltf::binary::Header {
            magic: *b"glTF",
            version: 2,
            length: 0,
        },
        json: serde_json::to_vec(&json).unwrap().into(),
        bin: Some(bin.into()),
    };
    let obj = obj(&glb.to_vec().unwrap());
    let lines: Vec<_> = obj
        .iter()
        .filter(|line| line[0] == "v" || line[0] == "f")
        .map(|line| line.join(" "))
        .collect();
    assert_eq!(
        lines,
        ["v 10 5 0", "v 12 5 0", "v 10 8 0", "f 1/1/1 2/2/2 3/3/3"]
    );
    assert!(convert(b"glTF", Format::Obj).is_err());
}

#[test]
fn never_enlarges_the_texture() {
    let small = RgbaImage::from_fn(40, 20, |x, _| {
        Rgba([(x * 6) as u8, 100, 100, if x < 5 { 0 } else { 255 }])
    });
    let model = Model::read(&sculpt(&small.into(), &textured()).unwrap());
    let texture = model.texture.as_ref().unwrap();
    // In front, a pixel of the texture is a pixel of the image, of whose width the model has 35.
    for side in [Side::Front, Side::Back] {
        let vertices: Vec<usize> = model.vertices(side, 0.02);
        let extent = |of: &dyn Fn(usize) -> f32| {
            let values = || vertices.iter().map(|at| of(*at));
            values().fold(f32::MIN, f32::max) - values().fold(f32::MAX, f32::min)
        };
        let pixels = extent(&|at| model.uvs[at][0]) * texture.width() as f32;
        let image = extent(&|at| model.positions[at][0]) * 35.0;
        let expected = if side == Side::Front { 1.0 } else { 0.5 };
        assert!(
            (pixels / image / expected - 1.0).abs() < 0.1,
            "{side:?}: {pixels} pixels for {image} of the image"
        );
    }
}
