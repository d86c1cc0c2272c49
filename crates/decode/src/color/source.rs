//! What files state about their colors.

use moxcms::ColorProfile;

use super::icc::{IccProfile, Spaces};

/// A statement of a file about the colors of its pixels.
pub enum ColorSource<'a> {
    /// An ICC profile, and the color spaces that are used with this kind of image.
    Icc(IccProfile<'a>, Spaces),
    /// Another statement.
    Profile(Box<ColorProfile>),
}
