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

#[test]
fn finds_edges_at_the_resolution_of_the_result() {
    // A mask has at most 512 pixels: half of the result's resolution.
    let is_object = |x: u32, y: u32| {
        let (across, down) = (f64::from(x) - 511.5, f64::from(y) - 511.5);
        across.hypot(down) < 300.0
    };
    let image = RgbImage::from_fn(1024, 1024, |x, y| match is_object(x, y) {
        true => Rgb([200, 20, 20]),
        false => Rgb([250, 250, 250]),
    });
    let image = image.into();
    let cutout = cut_out(&image, &CutoutRequest::default()).unwrap();
    let cut = remove_background(&image, &cutout, 1024);
    let wrong = cut
        .enumerate_pixels()
        .filter(|(x, y, pixel)| (pixel[3] > 127) != is_object(*x, *y));
    // The circle is 1,885 pixels long.
    let wrong = wrong.count();
    assert!(wrong < 600, "{wrong} pixels");
}
