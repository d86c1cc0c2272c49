//! The time of drawing an SVG document, and the canvases that it is drawn on.

use resvg::tiny_skia::Rect;

use super::refusal::Refusal;

/// The longest estimated time, in nanoseconds of a desktop processor.
const MAX_TIME: f64 = 4e9;

pub const BYTES_PER_PIXEL: f64 = 4.0;

/// A canvas that is drawn on.
#[derive(Clone, Copy)]
pub struct Canvas {
    pub width: f64,
    pub height: f64,
    /// Canvases of groups are clipped to this rectangle.
    pub limit: Rect,
}

impl Canvas {
    /// Returns the canvas of an image, with the limit of `resvg::render`.
    pub fn of_image(width: f64, height: f64) -> Result<Self, Refusal> {
        let [w, h] = [width as f32, height as f32];
        let limit = Rect::from_xywh(-2.0 * w, -2.0 * h, 5.0 * w, 5.0 * h);
        Ok(Self {
            width,
            height,
            limit: limit.ok_or(Refusal::TooComplex)?,
        })
    }

    pub fn with_size(self, width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            ..self
        }
    }

    pub fn area(self) -> f64 {
        self.width * self.height
    }

    /// Returns the width and height of the part of a rectangle that is on the canvas.
    pub fn visible(self, rect: Rect) -> [f64; 2] {
        let length = |start: f32, end: f32, limit: f64| {
            (f64::from(end).min(limit) + 1.0 - f64::from(start).max(0.0)).clamp(0.0, limit)
        };
        [
            length(rect.left(), rect.right(), self.width),
            length(rect.top(), rect.bottom(), self.height),
        ]
    }
}

/// The estimate of a document so far.
#[derive(Default)]
pub struct Estimate {
    time: f64,
}

impl Estimate {
    /// # Errors
    /// Fails if the whole time is too long.
    pub fn add_time(&mut self, time: f64) -> Result<(), Refusal> {
        self.time += time;
        // Not a number is refused too.
        match self.time <= MAX_TIME {
            true => Ok(()),
            false => Err(Refusal::TooComplex),
        }
    }
}
