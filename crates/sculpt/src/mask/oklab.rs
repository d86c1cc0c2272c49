//! The OKLab color space, in which distances are about as large as they look.
//!
//! The matrices are those of its author, Björn Ottosson: <https://bottosson.github.io/posts/oklab/>.

use glam::{Mat3, Vec3};

const LINEAR_TO_CONES: Mat3 = Mat3::from_cols_array(&[
    0.412_221_46,
    0.211_903_5,
    0.088_302_46,
    0.536_332_55,
    0.680_699_5,
    0.281_718_85,
    0.051_445_995,
    0.107_396_96,
    0.629_978_7,
]);
const CONES_TO_OKLAB: Mat3 = Mat3::from_cols_array(&[
    0.210_454_26,
    1.977_998_5,
    0.025_904_037,
    0.793_617_8,
    -2.428_592_2,
    0.782_771_77,
    -0.004_072_047,
    0.450_593_7,
    -0.808_675_77,
]);

/// Converts an sRGB color. Returns its lightness, from 0 to 1, and its two axes of hue and chroma,
/// from about -0.4 to 0.4.
pub fn from_srgb([red, green, blue]: [u8; 3]) -> Vec3 {
    let linear = |channel: u8| {
        let channel = f32::from(channel) / 255.0;
        if channel <= 0.04045 {
            channel / 12.92
        } else {
            ((channel + 0.055) / 1.055).powf(2.4)
        }
    };
    let cones = LINEAR_TO_CONES * Vec3::new(linear(red), linear(green), linear(blue));
    CONES_TO_OKLAB * cones.map(f32::cbrt)
}
