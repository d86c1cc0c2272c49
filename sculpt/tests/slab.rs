//! The slab, read back by a glTF reader that is not ours.

use contract::{Parameters, PreviewMesh};
use image::{DynamicImage, Rgba, RgbaImage};
use sculpt::sculpt;

/// Twice as wide as high; red at the left, blue at the right.
fn picture() -> DynamicImage {
    let half = |x, _| {
        if x < 20 {
            Rgba([255, 0, 0, 255])
        } else {
            Rgba([0, 0, 255, 255])
        }
    };
    RgbaImage::from_fn(40, 20, half).into()
}

struct Read {
    document: gltf::Document,
    buffers: Vec<gltf::buffer::Data>,
    images: Vec<gltf::image::Data>,
}

/// Reads a model; what is invalid glTF is an error of the reader.
fn read(parameters: &Parameters) -> Read {
    let files = sculpt(&picture(), parameters).unwrap();
    let (document, buffers, images) = gltf::import_slice(&files.glb).unwrap();
    Read {
        document,
        buffers,
        images,
    }
}

impl Read {
    fn primitives(&self) -> Vec<gltf::Primitive<'_>> {
        let mesh = self.document.meshes().next().unwrap();
        mesh.primitives().collect()
    }

    fn reader<'a>(
        &'a self,
        primitive: &'a gltf::Primitive<'a>,
    ) -> gltf::mesh::Reader<'a, 'a, impl Clone + Fn(gltf::Buffer<'a>) -> Option<&'a [u8]>> {
        primitive.reader(|buffer| Some(&self.buffers[buffer.index()]))
    }

    /// The box around all corners, as they are and as the file says.
    fn bounds(&self) -> ([f32; 3], [f32; 3]) {
        let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
        let (mut said_low, mut said_high) = (low, high);
        for primitive in self.primitives() {
            for position in self.reader(&primitive).read_positions().unwrap() {
                for at in 0..3 {
                    low[at] = low[at].min(position[at]);
                    high[at] = high[at].max(position[at]);
                }
            }
            let said = primitive.bounding_box();
            for at in 0..3 {
                said_low[at] = said_low[at].min(said.min[at]);
                said_high[at] = said_high[at].max(said.max[at]);
            }
        }
        assert_eq!((low, high), (said_low, said_high));
        (low, high)
    }
}

fn textured() -> Parameters {
    Parameters {
        generate_texture: Some(true),
        ..Default::default()
    }
}

#[test]
fn the_slab_has_the_pictures_proportions() {
    let (low, high) = read(&Parameters::default()).bounds();
    assert_eq!((low, high), ([-0.5, -0.25, -0.025], [0.5, 0.25, 0.025]));
}

#[test]
fn the_bounding_box_is_the_asked_one() {
    let parameters = Parameters {
        scaled_bbox: Some([1.0, 2.0, 4.0]),
        ..Default::default()
    };
    let (low, high) = read(&parameters).bounds();
    assert_eq!((low, high), ([-0.5, -1.0, -2.0], [0.5, 1.0, 2.0]));
}

#[test]
fn the_origin_lies_where_the_pivot_says() {
    let parameters = Parameters {
        scaled_bbox: Some([1.0, 2.0, 4.0]),
        pivot_point: Some([-0.5, 0.0, 0.25]),
        ..Default::default()
    };
    let (low, high) = read(&parameters).bounds();
    assert_eq!((low, high), ([0.0, -1.0, -3.0], [1.0, 1.0, 1.0]));
}

#[test]
fn a_box_that_no_file_can_hold_is_refused() {
    for edge in [1e300, 1e-300] {
        let parameters = Parameters {
            scaled_bbox: Some([1.0, edge, 1.0]),
            ..Default::default()
        };
        let reason = sculpt(&picture(), &parameters).unwrap_err();
        assert!(reason.contains("32-bit"), "{reason}");
    }
}

#[test]
fn the_slab_is_closed_and_looks_outwards() {
    let parameters = Parameters {
        scaled_bbox: Some([1.0, 2.0, 4.0]),
        ..textured()
    };
    let read = read(&parameters);
    let mut volume = 0.0;
    for primitive in read.primitives() {
        let reader = read.reader(&primitive);
        let positions: Vec<_> = reader.read_positions().unwrap().collect();
        let normals: Vec<_> = reader.read_normals().unwrap().collect();
        let indices: Vec<_> = reader.read_indices().unwrap().into_u32().collect();
        for triangle in indices.chunks(3) {
            let [a, b, c] = [0, 1, 2].map(|at| positions[triangle[at] as usize]);
            let cross = cross(minus(b, a), minus(c, a));
            assert!(dot(cross, normals[triangle[0] as usize]) > 0.0);
            volume += dot(cross, a) / 6.0;
        }
    }
    // Only a closed surface encloses the box's volume.
    assert!((volume - 8.0_f32).abs() < 1e-4, "{volume}");
}

#[test]
fn the_front_shows_the_picture_upright() {
    let read = read(&textured());
    let image = &read.images[0];
    assert_eq!((image.width, image.height), (40, 20));
    assert_eq!(image.pixels, picture().to_rgba8().into_raw());
    let front = &read.primitives()[0];
    let texture = front.material().pbr_metallic_roughness();
    assert_eq!(texture.base_color_texture().unwrap().tex_coord(), 0);
    let reader = read.reader(front);
    let uvs = reader.read_tex_coords(0).unwrap().into_f32();
    for (position, uv) in reader.read_positions().unwrap().zip(uvs) {
        assert_eq!(position[2], 0.025);
        // Left is the picture's left, up is the picture's first row.
        assert_eq!(uv, [position[0] + 0.5, 0.5 - 2.0 * position[1]]);
    }
}

#[test]
fn without_a_texture_the_material_is_plain() {
    let read = read(&Parameters::default());
    assert_eq!(read.images.len(), 0);
    assert_eq!(read.document.textures().count(), 0);
}

#[test]
fn generate_texture_does_not_apply_to_turbo() {
    let parameters = Parameters {
        preview_mesh: Some(PreviewMesh::Turbo),
        generate_texture: Some(false),
        ..Default::default()
    };
    assert_eq!(read(&parameters).images.len(), 1);
}

#[test]
fn the_texture_is_no_larger_than_asked() {
    let large = DynamicImage::new_rgb8(600, 300);
    let parameters = Parameters {
        texture_resolution: Some(128),
        ..textured()
    };
    let files = sculpt(&large, &parameters).unwrap();
    let (_, _, images) = gltf::import_slice(&files.glb).unwrap();
    assert_eq!((images[0].width, images[0].height), (128, 64));
}

#[test]
fn the_spins_are_four_different_views() {
    let uneven = RgbaImage::from_fn(2, 2, |x, y| Rgba([x as u8, y as u8, 0, 255])).into();
    let spins: Vec<_> = (0..sculpt::SPINS)
        .map(|index| sculpt::spin(&uneven, index).to_rgba8())
        .collect();
    for (at, spin) in spins.iter().enumerate() {
        assert!(!spins[..at].contains(spin));
    }
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
