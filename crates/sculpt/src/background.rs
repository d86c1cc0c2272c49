//! An opaque picture's object: what is left when the background has grown inwards from the border.

use std::collections::HashMap;

use image::RgbaImage;
use image::imageops::blur;

use crate::field::Field;
use crate::mask::shrunk;

/// The picture is looked at in that size, in pixels.
const EDGE: u32 = 320;
/// Colours that are nearer than this look alike, roughly twice what an eye can just tell apart.
const ALIKE: f32 = 0.04;
/// The background is never taken for wider than this around its colours.
const WIDEST: f32 = 0.14;
/// Neighbours that differ by less belong to one smooth surface, such as a sky or a soft shadow.
const SMOOTH: f32 = 0.012;
/// Colours of so little of the border, or of only one of its sides, are of something that touches it.
const RARE: f32 = 0.04;
/// An object covers at least and at most so much of the picture.
const COVERS: (f32, f32) = (0.01, 0.9);
/// No more of the border than this belongs to the object.
const TOUCHES: f32 = 0.4;
/// An object's outline is where the colours change: by so much in the middle.
const CONTRAST: f32 = 0.07;
/// A background has no pictures of its own: nine tenths of it differ by less over `FAR` pixels.
const CALM: f32 = 0.08;
const FAR: usize = 12;

/// Lightness and two axes of colour, of which distances are about as the eye sees them (OKLab).
type Colour = [f32; 3];

/// How much of each pixel belongs to the object, from 0 to 1; `None` where nothing stands out.
pub fn object(picture: &RgbaImage) -> Option<Field> {
    let small = shrunk(picture, EDGE);
    // Noise and the traces of compression would stop the growth.
    let scene = Scene::new(&blur(&small, 1.0));
    let background = scene.background();
    let mut object = scene.largest(&background);
    for _ in 0..2 {
        scene.tighten(&mut object);
    }
    if !scene.stands_out(&object) {
        return None;
    }
    let (width, height) = (scene.width, scene.height);
    let sharp = Field::new(width, height, |x, y| f32::from(object[y * width + x]));
    let (full_width, full_height) = picture.dimensions();
    Some(smoothed(&sharp).resized(full_width as usize, full_height as usize))
}

/// A soft edge in place of a staircase.
fn smoothed(sharp: &Field) -> Field {
    // A normal distribution, 1.5 pixels wide.
    const WEIGHTS: [f32; 7] = [0.04, 0.11, 0.21, 0.28, 0.21, 0.11, 0.04];
    let along = |field: &Field, across: f32, down: f32| {
        Field::new(field.width, field.height, |x, y| {
            let place = |step: usize| {
                let step = step as f32 - 3.0;
                field.sample(x as f32 + across * step, y as f32 + down * step)
            };
            WEIGHTS
                .iter()
                .enumerate()
                .map(|(step, weight)| weight * place(step))
                .sum()
        })
    };
    along(&along(sharp, 1.0, 0.0), 0.0, 1.0)
}

/// A picture in colours that can be compared.
struct Scene {
    width: usize,
    height: usize,
    colours: Vec<Colour>,
}

/// Pixels of the border whose colours are nearly the same.
#[derive(Default)]
struct Shade {
    count: usize,
    sum: Colour,
    /// On which of the four sides there are any.
    sides: [bool; 4],
}

impl Scene {
    fn new(picture: &RgbaImage) -> Self {
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            colours: picture.pixels().map(|pixel| oklab(pixel.0)).collect(),
        }
    }

    fn border(&self) -> impl Iterator<Item = usize> {
        let (width, height) = (self.width, self.height);
        (0..width * height).filter(move |at| {
            let (x, y) = (at % width, at / width);
            x == 0 || y == 0 || x == width - 1 || y == height - 1
        })
    }

    fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> {
        let (width, height) = (self.width, self.height);
        let (x, y) = (at % width, at / width);
        let left = (x > 0).then(|| at - 1);
        let right = (x + 1 < width).then(|| at + 1);
        let above = (y > 0).then(|| at - width);
        let below = (y + 1 < height).then(|| at + width);
        [left, right, above, below].into_iter().flatten()
    }

    /// The colours that the border mostly has.
    fn palette(&self) -> Vec<Colour> {
        let mut bins: HashMap<[i32; 3], Shade> = HashMap::new();
        let mut count = 0;
        for at in self.border() {
            let colour = self.colours[at];
            let (x, y) = (at % self.width, at / self.width);
            let shade = bins
                .entry(colour.map(|part| (part / ALIKE).floor() as i32))
                .or_default();
            shade.count += 1;
            count += 1;
            for (sum, part) in shade.sum.iter_mut().zip(colour) {
                *sum += part;
            }
            let sides = [x == 0, x == self.width - 1, y == 0, y == self.height - 1];
            for (seen, here) in shade.sides.iter_mut().zip(sides) {
                *seen |= here;
            }
        }
        let common = bins.into_values().filter(|shade| {
            let sides = shade.sides.iter().filter(|seen| **seen).count();
            sides > 1 && shade.count as f32 >= RARE * count as f32
        });
        common
            .map(|Shade { count, sum, .. }| sum.map(|part| part / count as f32))
            .collect()
    }

    /// Whether each pixel is of the background, which begins at the border.
    fn background(&self) -> Vec<bool> {
        let palette = self.palette();
        let distances: Vec<f32> = (self.colours.iter())
            .map(|colour| {
                let distances = palette.iter().map(|other| distance(*colour, *other));
                distances.fold(f32::INFINITY, f32::min)
            })
            .collect();
        let near = threshold(&distances);
        let mut background = vec![false; self.colours.len()];
        let mut waiting: Vec<_> = self.border().filter(|at| distances[*at] < near).collect();
        for at in &waiting {
            background[*at] = true;
        }
        while let Some(at) = waiting.pop() {
            for next in self.neighbours(at) {
                let step = distance(self.colours[at], self.colours[next]);
                let alike =
                    distances[next] < near || (step < SMOOTH && distances[next] < 2.0 * near);
                if !background[next] && alike {
                    background[next] = true;
                    waiting.push(next);
                }
            }
        }
        background
    }

    /// The largest piece of what is no background, and others of at least a tenth of it. Holes are
    /// filled already: the background did not get there.
    fn largest(&self, background: &[bool]) -> Vec<bool> {
        let solid = self.without_threads(background);
        let mut piece = vec![0; solid.len()];
        let mut sizes = vec![0];
        for start in 0..solid.len() {
            if !solid[start] || piece[start] != 0 {
                continue;
            }
            let number = sizes.len();
            let mut size = 0;
            let mut waiting = vec![start];
            piece[start] = number;
            while let Some(at) = waiting.pop() {
                size += 1;
                for next in self.neighbours(at) {
                    if solid[next] && piece[next] == 0 {
                        piece[next] = number;
                        waiting.push(next);
                    }
                }
            }
            sizes.push(size);
        }
        let largest = sizes.iter().copied().max().unwrap_or_default();
        let kept = |number: usize| number != 0 && sizes[number] * 10 >= largest;
        piece.into_iter().map(kept).collect()
    }

    /// What is no background, without what is only a pixel or two wide.
    fn without_threads(&self, background: &[bool]) -> Vec<bool> {
        let block = |x: usize, y: usize| {
            (0..2).all(|dy| {
                (0..2).all(|dx| {
                    let (x, y) = (x + dx, y + dy);
                    x < self.width && y < self.height && !background[y * self.width + x]
                })
            })
        };
        let mut solid = vec![false; background.len()];
        for y in 0..self.height {
            for x in 0..self.width {
                if block(x, y) {
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        solid[(y + dy) * self.width + x + dx] = true;
                    }
                }
            }
        }
        solid
    }

    /// Whether the object is one: neither next to nothing nor next to everything, mostly away from
    /// the border, of other colours than what is around it, and that all calm.
    fn stands_out(&self, object: &[bool]) -> bool {
        let share = |of: usize, all: usize| of as f32 / all.max(1) as f32;
        let background: Vec<_> = (0..object.len()).filter(|at| !object[*at]).collect();
        let covered = share(object.iter().filter(|is| **is).count(), object.len());
        let border: Vec<_> = self.border().collect();
        let touching = border.iter().filter(|at| object[**at]).count();
        let contrasts = (0..object.len()).filter_map(|at| self.contrast(object, at));
        let unrest = background.iter().flat_map(|at| {
            let across = (at % self.width + FAR < self.width).then_some(at + FAR);
            let down = (at / self.width + FAR < self.height).then_some(at + FAR * self.width);
            let others = [across, down].into_iter().flatten();
            let others = others.filter(|other| !object[*other]);
            others.map(|other| distance(self.colours[*at], self.colours[other]))
        });
        (COVERS.0..=COVERS.1).contains(&covered)
            && share(touching, border.len()) <= TOUCHES
            && quantile(contrasts, 0.5) >= CONTRAST
            && quantile(unrest, 0.9) <= CALM
    }

    /// Takes the outermost pixels off where they look more like what lies outside than like what
    /// lies inside: they are a mixture of both, and would make a rim.
    fn tighten(&self, object: &mut [bool]) {
        const REACH: isize = 3;
        let before = object.to_vec();
        let pixel = |x: isize, y: isize| {
            let inside =
                (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
            inside.then(|| y as usize * self.width + x as usize)
        };
        for at in (0..before.len()).filter(|at| before[*at]) {
            let (x, y) = ((at % self.width) as isize, (at / self.width) as isize);
            let mixed = [(1, 0), (-1, 0), (0, 1), (0, -1)]
                .into_iter()
                .any(|(dx, dy)| {
                    let is_edge = pixel(x + dx, y + dy).is_some_and(|next| !before[next]);
                    let outer = pixel(x + REACH * dx, y + REACH * dy).filter(|at| !before[*at]);
                    let inner = pixel(x - REACH * dx, y - REACH * dy).filter(|at| before[*at]);
                    let (Some(outer), Some(inner), true) = (outer, inner, is_edge) else {
                        return false;
                    };
                    let here = self.colours[at];
                    distance(here, self.colours[outer]) < distance(here, self.colours[inner])
                });
            object[at] = !mixed;
        }
    }

    /// How much the colours differ across the object's edge, a few pixels inside and outside of it;
    /// `None` away from it.
    fn contrast(&self, object: &[bool], at: usize) -> Option<f32> {
        const REACH: usize = 3;
        let (x, y) = (at % self.width, at / self.width);
        let here = object[at];
        let across = |other: usize, inner: usize, outer: usize| {
            (here != object[other]).then(|| distance(self.colours[inner], self.colours[outer]))
        };
        let to_right = (x + 1 < self.width).then(|| {
            let (inner, outer) = (x.saturating_sub(REACH), (x + 1 + REACH).min(self.width - 1));
            across(at + 1, y * self.width + inner, y * self.width + outer)
        });
        let down = (y + 1 < self.height).then(|| {
            let (inner, outer) = (
                y.saturating_sub(REACH),
                (y + 1 + REACH).min(self.height - 1),
            );
            across(
                at + self.width,
                inner * self.width + x,
                outer * self.width + x,
            )
        });
        to_right.flatten().or(down.flatten())
    }
}

/// The value below which that part of all values lies; 0 where there are none.
fn quantile(values: impl Iterator<Item = f32>, part: f32) -> f32 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f32::total_cmp);
    let at = (values.len() as f32 * part) as usize;
    values.get(at).copied().unwrap_or_default()
}

/// What parts the small distances from the large ones best (Otsu's way), within reason.
fn threshold(distances: &[f32]) -> f32 {
    const STEPS: usize = 128;
    const FARTHEST: f32 = 0.5;
    let mut counts = [0.0f32; STEPS];
    for distance in distances {
        let step = (distance / FARTHEST * STEPS as f32) as usize;
        counts[step.min(STEPS - 1)] += 1.0;
    }
    let all: f32 = counts.iter().sum();
    let moment = |(step, count): (usize, &f32)| step as f32 * count;
    let whole: f32 = counts.iter().enumerate().map(moment).sum();
    let (mut below, mut sum) = (0.0, 0.0);
    let (mut best, mut at) = (0.0, 0);
    for (step, count) in counts.iter().enumerate() {
        below += count;
        sum += step as f32 * count;
        let above = all - below;
        if below > 0.0 && above > 0.0 {
            let between = below * above * (sum / below - (whole - sum) / above).powi(2);
            if between > best {
                (best, at) = (between, step);
            }
        }
    }
    let distance = (at + 1) as f32 / STEPS as f32 * FARTHEST;
    distance.clamp(ALIKE, WIDEST)
}

fn distance(a: Colour, b: Colour) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f32>()
        .sqrt()
}

/// From sRGB, by the matrices of OKLab's author, Björn Ottosson.
fn oklab([red, green, blue, _]: [u8; 4]) -> Colour {
    let linear = |part: u8| {
        let part = f32::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    let times = |matrix: [[f32; 3]; 3], vector: [f32; 3]| {
        matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>())
    };
    let cones = times(
        [
            [0.412_221_46, 0.536_332_55, 0.051_445_995],
            [0.211_903_5, 0.680_699_5, 0.107_396_96],
            [0.088_302_46, 0.281_718_85, 0.629_978_7],
        ],
        [linear(red), linear(green), linear(blue)],
    );
    times(
        [
            [0.210_454_26, 0.793_617_8, -0.004_072_047],
            [1.977_998_5, -2.428_592_2, 0.450_593_7],
            [0.025_904_037, 0.782_771_77, -0.808_675_77],
        ],
        cones.map(f32::cbrt),
    )
}
