//! Background removal for engines that take an object alone.

use image::{Rgb, RgbImage};
use sculpt::{CutoutRequest, cut_out, remove_background};

#[test]
fn removes_the_background_of_an_image() {
    let image = RgbImage::from_fn(2000, 1000, |x, y| {
        match (500..1500).contains(&x) && (200..800).contains(&y) {
            true => Rgb([200, 20, 20]),
            false => Rgb([250, 250, 250]),
        }
    });
    let image = image.into();
    let cutout = cut_out(&image, &CutoutRequest::default()).unwrap();
    let cut = remove_background(&image, &cutout, 1024);
    assert_eq!(cut.dimensions(), (1024, 512));
    let alpha = |x, y| cut.get_pixel(x, y)[3];
    assert!(alpha(5, 5) < 5 && alpha(512, 256) > 250);
}
