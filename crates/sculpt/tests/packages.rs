//! The packages that a model is converted to: 3MF and USDZ.

mod support;

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read, Seek};

use contract::{Parameters, Topology};
use roxmltree::{Document, Node};
use sculpt::{Format, convert};
use support::*;
use zip::{CompressionMethod, ZipArchive};

const CORE: &str = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
const MATERIALS: &str = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02";

fn made(parameters: &Parameters) -> Vec<u8> {
    sculpt(&sample("turtle.webp"), parameters).unwrap()
}

fn opened(glb: &[u8], format: Format) -> ZipArchive<Cursor<Vec<u8>>> {
    ZipArchive::new(Cursor::new(convert(glb, format).unwrap())).unwrap()
}

fn file<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = archive.by_name(name).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

fn text<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> String {
    String::from_utf8(file(archive, name)).unwrap()
}

/// Returns the texture file of a model of this crate.
fn texture_of(glb: &[u8]) -> Vec<u8> {
    let json = json_of(glb);
    let view = json["images"][0]["bufferView"].as_u64().unwrap() as usize;
    let view = &json["bufferViews"][view];
    let number = |name: &str| view[name].as_u64().unwrap_or_default() as usize;
    let bin = gltf::Glb::from_slice(glb).unwrap().bin.unwrap();
    bin[number("byteOffset")..][..number("byteLength")].to_vec()
}

/// Returns the descendants of this name.
fn all<'a>(node: Node<'a, 'a>, namespace: &str, name: &str) -> Vec<Node<'a, 'a>> {
    let is_wanted = |node: &Node| node.has_tag_name((namespace, name));
    node.descendants().filter(is_wanted).collect()
}

fn number<T: std::str::FromStr>(node: &Node, name: &str) -> T {
    let value = node.attribute(name).unwrap_or_else(|| panic!("no {name}"));
    value.parse().unwrap_or_else(|_| panic!("{name}={value}"))
}

/// Returns the target of the only relationship in a part, which has this type.
fn target<R: Read + Seek>(archive: &mut ZipArchive<R>, part: &str, kind: &str) -> String {
    let text = text(archive, part);
    let document = Document::parse(&text).unwrap();
    let namespace = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relationships = all(document.root(), namespace, "Relationship");
    let [relationship] = relationships.as_slice() else {
        panic!("{text}");
    };
    let expected = format!("http://schemas.microsoft.com/3dmanufacturing/2013/01/{kind}");
    assert_eq!(relationship.attribute("Type"), Some(&*expected));
    assert!(relationship.attribute("Id").is_some());
    let target = relationship.attribute("Target").unwrap();
    target.strip_prefix('/').unwrap().to_owned()
}

/// Asserts that a 3MF file has a resource for each reference, and returns its vertices in meters with y
/// up, and the vertices of its triangles.
fn read_mesh(document: &Document) -> (Vec<[f32; 3]>, Vec<[usize; 3]>) {
    let root = document.root_element();
    assert!(root.has_tag_name((CORE, "model")));
    assert_eq!(root.attribute("unit"), Some("millimeter"));
    let [item] = all(root, CORE, "item")[..] else {
        panic!("several items");
    };
    let [object] = all(root, CORE, "object")[..] else {
        panic!("several objects");
    };
    assert_eq!(item.attribute("objectid"), object.attribute("id"));
    let vertices: Vec<_> = (all(root, CORE, "vertex").iter())
        .map(|vertex| {
            let [x, y, z] = ["x", "y", "z"].map(|axis| number::<f32>(vertex, axis) / 1000.0);
            [x, z, -y]
        })
        .collect();
    let triangles: Vec<_> = (all(root, CORE, "triangle").iter())
        .map(|triangle| ["v1", "v2", "v3"].map(|corner| number(triangle, corner)))
        .collect();
    assert!(triangles.iter().flatten().all(|at| *at < vertices.len()));
    (vertices, triangles)
}

#[test]
fn three_mf_has_the_texture_on_each_triangle() {
    let glb = made(&textured());
    for (name, format) in [("3mf", Format::ThreeMf), ("usdz", Format::Usdz)] {
        let converted = convert(&glb, format).unwrap();
        keep_file(&format!("turtle-converted.{name}"), &converted);
    }
    let model = Model::read(&glb);
    let archive = &mut opened(&glb, Format::ThreeMf);
    let types = text(archive, "[Content_Types].xml");
    for (extension, media_type) in [
        (
            "rels",
            "application/vnd.openxmlformats-package.relationships+xml",
        ),
        (
            "model",
            "application/vnd.ms-package.3dmanufacturing-3dmodel+xml",
        ),
        ("jpg", "image/jpeg"),
    ] {
        let expected = format!("Extension=\"{extension}\" ContentType=\"{media_type}\"");
        assert!(types.contains(&expected), "{types}");
    }
    let part = target(archive, "_rels/.rels", "3dmodel");
    assert_eq!(part, "3D/3dmodel.model");
    let texture = target(archive, "3D/_rels/3dmodel.model.rels", "3dtexture");
    assert!(file(archive, &texture) == texture_of(&glb));

    let xml = text(archive, &part);
    let document = Document::parse(&xml).unwrap();
    let root = document.root_element();
    let [image] = all(root, MATERIALS, "texture2d")[..] else {
        panic!("several textures");
    };
    let path = format!("/{texture}");
    assert_eq!(image.attribute("path"), Some(&*path));
    assert_eq!(image.attribute("contenttype"), Some("image/jpeg"));
    let [group] = all(root, MATERIALS, "texture2dgroup")[..] else {
        panic!("several groups");
    };
    assert_eq!(group.attribute("texid"), image.attribute("id"));
    // With v upwards.
    let uvs: Vec<[f32; 2]> = (all(group, MATERIALS, "tex2coord").iter())
        .map(|uv| [number(uv, "u"), 1.0 - number::<f32>(uv, "v")])
        .collect();
    let (vertices, triangles) = read_mesh(&document);
    assert_eq!(triangles.len(), model.triangles.len());
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let nodes = all(root, CORE, "triangle");
    for ((expected, triangle), node) in model.triangles.iter().zip(&triangles).zip(nodes) {
        assert_eq!(node.attribute("pid"), group.attribute("id"));
        for (corner, uv) in ["p1", "p2", "p3"].into_iter().enumerate() {
            let at = expected[corner] as usize;
            let uv = uvs[number::<usize>(&node, uv)];
            assert!(near(&vertices[triangle[corner]], &model.positions[at]));
            assert!(near(&uv, &model.uvs[at]), "{uv:?} {:?}", model.uvs[at]);
        }
    }
}

/// What the core specification demands of objects of the type `model`.
#[test]
fn three_mf_is_closed_also_where_the_texture_has_a_seam() {
    let (json, bin) = {
        let glb = made(&textured());
        let file = gltf::Glb::from_slice(&glb).unwrap();
        (json_of(&glb), file.bin.unwrap().into_owned())
    };
    // Each corner of each triangle becomes a vertex of its own, as many programs write seams.
    let model = Model::read(&glb(&json, bin));
    let mut corners = Vec::new();
    for triangle in &model.triangles {
        corners.extend(model.corners(*triangle).into_iter().flatten());
    }
    let bin: Vec<u8> = corners.iter().copied().flat_map(f32::to_le_bytes).collect();
    let json = serde_json::json!({
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{
            "bufferView": 0, "componentType": 5126, "count": corners.len() / 3, "type": "VEC3",
            "min": model.bounds().0, "max": model.bounds().1,
        }],
        "bufferViews": [{"buffer": 0, "byteLength": bin.len()}],
        "buffers": [{"byteLength": bin.len()}],
    });
    let archive = &mut opened(&glb(&json, bin), Format::ThreeMf);
    let xml = text(archive, "3D/3dmodel.model");
    let document = Document::parse(&xml).unwrap();
    let (vertices, triangles) = read_mesh(&document);
    // The model itself has several vertices at one place on its seams.
    let places = model.positions.iter().map(|place| place.map(f32::to_bits));
    assert_eq!(vertices.len(), places.collect::<HashSet<_>>().len());
    let mut edges: HashMap<(usize, usize), i32> = HashMap::new();
    for [a, b, c] in triangles {
        assert!(a != b && b != c && c != a);
        for (from, to) in [(a, b), (b, c), (c, a)] {
            *edges.entry((from, to)).or_default() += 1;
        }
    }
    for ((from, to), count) in &edges {
        assert_eq!((*count, edges.get(&(*to, *from))), (1, Some(&1)));
    }
    // Without a texture it has a color.
    let root = document.root_element();
    assert!(all(root, MATERIALS, "texture2dgroup").is_empty());
    let [base] = all(root, CORE, "base")[..] else {
        panic!("no color");
    };
    assert_eq!(base.attribute("displaycolor"), Some("#E7E7E7FF"));
    let names: Vec<_> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert!(
        !names.iter().any(|name| name.contains("Textures")),
        "{names:?}"
    );
}

/// Returns the numbers of an array in a USD text.
fn numbers<T: std::str::FromStr>(usda: &str, name: &str) -> Vec<T> {
    let (_, rest) = usda.split_once(&format!(" {name} = [")).unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    let items = list
        .split([',', '(', ')', ' '])
        .filter(|item| !item.is_empty());
    items.map(|item| item.parse().ok().unwrap()).collect()
}

#[test]
fn usdz_is_stored_and_aligned_with_the_model_first() {
    let glb = made(&textured());
    let archive = &mut opened(&glb, Format::Usdz);
    assert_eq!(archive.len(), 2);
    for (index, name) in ["model.usda", "textures/texture.jpg"].iter().enumerate() {
        let file = archive.by_index(index).unwrap();
        assert_eq!(file.name().unwrap(), *name);
        assert_eq!(file.compression(), CompressionMethod::Stored);
        assert!(!file.encrypted());
        assert_eq!(file.data_start().unwrap() % 64, 0, "{name}");
    }
    assert!(file(archive, "textures/texture.jpg") == texture_of(&glb));
    let usda = text(archive, "model.usda");
    assert!(usda.starts_with("#usda 1.0\n"));
    assert!(usda.contains("asset inputs:file = @textures/texture.jpg@"));
}

#[test]
fn usdz_has_the_mesh_of_the_model() {
    for (topology, sides) in [(Topology::Tris, 3), (Topology::Quads, 4)] {
        let glb = made(&Parameters {
            topology: Some(topology),
            ..textured()
        });
        let model = Model::read(&glb);
        let usda = text(&mut opened(&glb, Format::Usdz), "model.usda");
        assert_eq!(numbers::<f32>(&usda, "points"), model.positions.concat());
        assert_eq!(numbers::<f32>(&usda, "normals"), model.normals.concat());
        let uvs: Vec<_> = model.uvs.iter().flat_map(|[u, v]| [*u, 1.0 - v]).collect();
        assert_eq!(numbers::<f32>(&usda, "primvars:st"), uvs);
        let (low, high) = model.bounds();
        assert_eq!(numbers::<f32>(&usda, "extent"), [low, high].concat());
        let counts: Vec<usize> = numbers(&usda, "faceVertexCounts");
        assert!(counts.iter().all(|count| *count == sides));
        assert_eq!(counts.len() * (sides - 2), model.triangles.len());
        let indices: Vec<u32> = numbers(&usda, "faceVertexIndices");
        assert_eq!(indices.len(), counts.len() * sides);
        assert_eq!(indices[..3], model.triangles[0]);
    }
}

#[test]
fn usdz_without_a_texture_has_a_color() {
    let glb = made(&Parameters::default());
    let archive = &mut opened(&glb, Format::Usdz);
    assert_eq!(archive.len(), 1);
    let usda = text(archive, "model.usda");
    assert!(
        usda.contains("color3f inputs:diffuseColor = (0."),
        "{}",
        &usda[usda.len() - 900..]
    );
    assert!(!usda.contains("UsdUVTexture"));
}
