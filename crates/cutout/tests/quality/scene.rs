//! Composes pictures.

use fastrand::Rng;
use image::imageops::{FilterType, fast_blur, overlay, resize};
use image::{GrayImage, Rgb, RgbImage, RgbaImage};

use crate::outline::hole_count;
use crate::photos::{photo, repository};

/// The edge of a picture, in pixels.
const EDGE: u32 = 448;
/// The range of the object's longer edge, in parts of the picture's.
const OBJECT_EDGE: std::ops::Range<f32> = 0.5..0.8;
/// The size of a hole in an object with holes, in parts of its rectangle.
const OBJECT_HOLE: f32 = 0.03;
/// Photos with an object and details of their own.
const PHOTOS: [&str; 5] = ["astronaut", "camera", "chelsea", "coffee", "rocket"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Background {
    White,
    /// A gradient, with a shadow below the object.
    Gradient,
    /// A wall and a floor, with a shadow below the object.
    Room,
    Wood,
    BlurredPhoto,
    Grass,
    SharpPhoto,
}

impl Background {
    pub const ALL: [Self; 7] = [
        Self::White,
        Self::Gradient,
        Self::Room,
        Self::Wood,
        Self::BlurredPhoto,
        Self::Grass,
        Self::SharpPhoto,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Gradient => "gradient",
            Self::Room => "room",
            Self::Wood => "wood",
            Self::BlurredPhoto => "blurred",
            Self::Grass => "grass",
            Self::SharpPhoto => "sharp",
        }
    }

    fn draw(self, random: &mut Rng) -> RgbImage {
        match self {
            Self::White => RgbImage::from_pixel(EDGE, EDGE, Rgb([255; 3])),
            Self::Gradient => gradient(random),
            Self::Room => room(random),
            Self::Wood => wood(random),
            Self::BlurredPhoto => fast_blur(&random_photo(random), 8.0),
            Self::Grass => grass(random),
            Self::SharpPhoto => random_photo(random),
        }
    }

    fn has_shadow(self) -> bool {
        matches!(self, Self::Gradient | Self::Room)
    }
}

/// A picture with its true outline.
pub struct Scene {
    pub picture: RgbaImage,
    /// White is the object.
    pub truth: GrayImage,
}

impl Scene {
    /// Puts an object at a random place in front of a background.
    pub fn compose(object: &RgbaImage, background: Background, random: &mut Rng) -> Self {
        let longer = object.width().max(object.height()) as f32;
        let part = OBJECT_EDGE.start + (OBJECT_EDGE.end - OBJECT_EDGE.start) * random.f32();
        let scale = part * EDGE as f32 / longer;
        let [width, height] =
            [object.width(), object.height()].map(|edge| ((edge as f32 * scale) as u32).max(1));
        let object = resize(object, width, height, FilterType::CatmullRom);
        // At a quarter to three quarters of the free space.
        let place = |edge: u32, random: &mut Rng| {
            let free = (EDGE - edge) as f32;
            (free * (0.25 + 0.5 * random.f32())) as u32
        };
        let (left, top) = (place(width, random), place(height, random));
        let mut backdrop = background.draw(random);
        if background.has_shadow() {
            let middle = left as f32 + width as f32 / 2.0;
            cast_shadow(&mut backdrop, (middle, (top + height) as f32), width as f32);
        }
        let mut picture = image::DynamicImage::from(backdrop).to_rgba8();
        overlay(&mut picture, &object, left.into(), top.into());
        let truth = GrayImage::from_fn(EDGE, EDGE, |x, y| {
            let inside = x.checked_sub(left).zip(y.checked_sub(top));
            let inside = inside.filter(|(x, y)| *x < width && *y < height);
            let alpha = inside.map_or(0, |(x, y)| object.get_pixel(x, y)[3]);
            [if alpha > 127 { 255 } else { 0 }].into()
        });
        Self { picture, truth }
    }
}

/// Returns objects with transparent surroundings, cropped to what is visible.
pub fn objects(random: &mut Rng, count: usize) -> Vec<(String, RgbaImage)> {
    all_objects(random).take(count).collect()
}

/// Returns objects that have holes.
pub fn objects_with_holes(random: &mut Rng, count: usize) -> Vec<(String, RgbaImage)> {
    let has_hole = |(_, object): &(String, RgbaImage)| {
        let outline = GrayImage::from_fn(object.width(), object.height(), |x, y| {
            [object.get_pixel(x, y)[3]].into()
        });
        hole_count(&outline, OBJECT_HOLE) > 0
    };
    all_objects(random).filter(has_hole).take(count).collect()
}

fn all_objects(random: &mut Rng) -> impl Iterator<Item = (String, RgbaImage)> {
    let folder = repository().join("node_modules/@lobehub/fluent-emoji-3d/assets");
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run `npm ci` first", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    random.shuffle(&mut paths);
    paths.into_iter().map(|path| {
        let image = image::open(&path).unwrap().to_rgba8();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, crop_to_visible(&image))
    })
}

fn crop_to_visible(image: &RgbaImage) -> RgbaImage {
    let visible = image
        .enumerate_pixels()
        .filter(|(_, _, pixel)| pixel[3] > 127);
    let (mut low, mut high) = ((u32::MAX, u32::MAX), (0, 0));
    for (x, y, _) in visible {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    let (width, height) = (high.0 + 1 - low.0, high.1 + 1 - low.1);
    image::imageops::crop_imm(image, low.0, low.1, width, height).to_image()
}

fn random_photo(random: &mut Rng) -> RgbImage {
    let name = PHOTOS[random.usize(..PHOTOS.len())];
    let photo = photo(name);
    photo
        .resize_to_fill(EDGE, EDGE, FilterType::Triangle)
        .to_rgb8()
}

fn random_color(random: &mut Rng, range: std::ops::Range<u8>) -> [f32; 3] {
    [(); 3].map(|()| f32::from(random.u8(range.clone())))
}

fn pixel(color: [f32; 3]) -> Rgb<u8> {
    Rgb(color.map(|channel| channel.clamp(0.0, 255.0) as u8))
}

fn gradient(random: &mut Rng) -> RgbImage {
    let (top, bottom) = (
        random_color(random, 120..250),
        random_color(random, 120..250),
    );
    RgbImage::from_fn(EDGE, EDGE, |_, y| {
        let part = y as f32 / EDGE as f32;
        pixel([0, 1, 2].map(|at| top[at] + (bottom[at] - top[at]) * part))
    })
}

fn room(random: &mut Rng) -> RgbImage {
    let (wall, floor) = (
        random_color(random, 130..240),
        random_color(random, 60..180),
    );
    let edge = (EDGE as f32 * (0.55 + 0.2 * random.f32())) as u32;
    let mut image = RgbImage::new(EDGE, EDGE);
    for (_, y, target) in image.enumerate_pixels_mut() {
        let noise = 8.0 * (random.f32() - 0.5);
        let color = if y < edge { wall } else { floor };
        *target = pixel(color.map(|channel| channel + noise));
    }
    image
}

fn wood(random: &mut Rng) -> RgbImage {
    let dark = [96.0, 60.0, 32.0];
    let light = [190.0, 140.0, 90.0];
    let (planks, phase) = (random.u32(3..6), 100.0 * random.f32());
    let mut grain = vec![0.0; EDGE as usize];
    for value in &mut grain {
        *value = random.f32();
    }
    RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let plank = y * planks / EDGE;
        let seam = (y * planks) % EDGE < 2 * planks;
        let along = x as f32 / 60.0 + phase + 17.0 * plank as f32;
        let wave = (along + 3.0 * (y as f32 / 23.0).sin()).sin();
        let part = 0.5 + 0.25 * wave + 0.3 * (grain[y as usize] - 0.5);
        let part = if seam { 0.0 } else { part };
        pixel([0, 1, 2].map(|at| dark[at] + (light[at] - dark[at]) * part))
    })
}

/// The photo is gray.
fn grass(random: &mut Rng) -> RgbImage {
    let photo = photo("grass").to_luma8();
    let (left, top) = (
        random.u32(..photo.width() - EDGE),
        random.u32(..photo.height() - EDGE),
    );
    RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let value = f32::from(photo.get_pixel(left + x, top + y)[0]);
        pixel([0.6 * value, value, 0.35 * value])
    })
}

/// Darkens an ellipse around a point.
fn cast_shadow(image: &mut RgbImage, (middle, bottom): (f32, f32), width: f32) {
    for (x, y, target) in image.enumerate_pixels_mut() {
        let across = (x as f32 - middle) / (0.5 * width);
        let down = (y as f32 - bottom) / (0.1 * width);
        let shade = 1.0 - 0.5 * (-(across * across + down * down)).exp();
        *target = Rgb(target.0.map(|channel| (f32::from(channel) * shade) as u8));
    }
}
