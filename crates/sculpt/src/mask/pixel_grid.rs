//! The neighborhood of an image's pixels.

/// The size of an image whose pixels are counted by rows from 0, the top row first.
#[derive(Clone, Copy, Debug)]
pub struct PixelGrid {
    pub width: usize,
    pub height: usize,
}

impl PixelGrid {
    /// Returns the column and the row of a pixel.
    pub fn position(self, at: usize) -> (usize, usize) {
        (at % self.width, at / self.width)
    }

    /// Returns the pixels along the image's border.
    pub fn border(self) -> impl Iterator<Item = usize> {
        let Self { width, height } = self;
        (0..width * height).filter(move |at| {
            let (x, y) = self.position(*at);
            x == 0 || y == 0 || x == width - 1 || y == height - 1
        })
    }

    /// Returns the up to four pixels beside a pixel.
    pub fn neighbors(self, at: usize) -> impl Iterator<Item = usize> {
        let Self { width, height } = self;
        let (x, y) = self.position(at);
        let left = (x > 0).then(|| at - 1);
        let right = (x + 1 < width).then(|| at + 1);
        let above = (y > 0).then(|| at - width);
        let below = (y + 1 < height).then(|| at + width);
        [left, right, above, below].into_iter().flatten()
    }
}
