//! Images that are downloaded from a URL.

mod support;

use api::Config;
use serde_json::json;
use support::*;

const URL: &str = "https://example.com/a.png";

/// Creates a session whose image is to be downloaded; its first job is due.
fn remote_session() -> (TestApi, String) {
    let mut api = TestApi::without_engine(&Config::default());
    let code = code(&api.create(json!({"image_url": URL})));
    api.now += 1000;
    (api, code)
}

#[test]
fn downloads_an_image_once_and_stores_it() {
    let (mut api, code) = remote_session();
    let file = format!("/files/{code}/image");
    assert_eq!(api.get(&file).status(), 404);
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    assert_eq!(job.image_url(), Some(URL));
    api.inner
        .run_job(job, Some(Ok(png())), &instant_engine())
        .unwrap();
    api.now += 1000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_done");
    assert_eq!(session["image_url"], URL);
    assert_eq!(*api.get(&file).body(), png());
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    assert_eq!(job.image_url(), None);
    api.inner.run_job(job, None, &instant_engine()).unwrap();
    api.now += 2000;
    assert_eq!(api.session(&code)["status"], "refine_done");
}

#[test]
fn keeps_a_downloaded_image_if_the_job_is_cancelled() {
    let (api, _) = remote_session();
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    let cancelled = Stub(|_: &api::Source, _: &mut api::Progress| Err(api::ModelError::Cancelled));
    api.inner.run_job(job, Some(Ok(png())), &cancelled).unwrap();
    assert_eq!(
        api.inner.next_job(api.now).unwrap().unwrap().image_url(),
        None
    );
}

#[test]
fn fails_a_session_whose_image_cannot_be_downloaded_or_decoded() {
    let half = png()[..60].to_vec();
    for (download, message) in [
        (
            Some(Err("HTTP 404".to_owned())),
            "image_url: download failed: HTTP 404",
        ),
        (
            Some(Ok(b"<html>Hello</html>".to_vec())),
            "image_url: unrecognized image format (first bytes: 3c 68 74 6d …). Supported: PNG, \
             JPEG, WebP, GIF, BMP, TIFF, SVG, AVIF",
        ),
        (Some(Ok(Vec::new())), "image_url: the image file is empty"),
        (
            Some(Ok(half)),
            "image_url: the PNG file cannot be decoded: unexpected end of file",
        ),
        (
            Some(Ok(include_bytes!(
                "../../../tests/fixtures/tiled-planar.tif"
            )
            .to_vec())),
            "image_url: this server does not read this kind of TIFF file. Save it as PNG or JPEG.",
        ),
        (None, "image_url: the image was not downloaded"),
    ] {
        let (mut api, code) = remote_session();
        let job = api.inner.next_job(api.now).unwrap().unwrap();
        api.inner.run_job(job, download, &instant_engine()).unwrap();
        api.now += 1000;
        let session = api.session(&code);
        assert_eq!(session["status"], "preview_failed");
        assert_eq!(session["error"], message);
        assert_eq!(session["image_url"], URL);
        assert_eq!(api.get(&format!("/files/{code}/image")).status(), 404);
    }
}
