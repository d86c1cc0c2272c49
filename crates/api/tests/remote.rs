//! Pictures that lie elsewhere.

mod support;

use api::Config;
use serde_json::json;
use support::*;

const ADDRESS: &str = "https://example.com/a.png";

/// A session whose picture is to be fetched; its first work is due.
fn elsewhere() -> (TestApi, String) {
    let mut api = TestApi::idle(&Config::default());
    let code = code(&api.create(json!({"image_url": ADDRESS})));
    api.now += 1000;
    (api, code)
}

#[test]
fn a_picture_elsewhere_is_fetched_once_and_stored() {
    let (mut api, code) = elsewhere();
    let file = format!("/files/{code}/image");
    assert_eq!(api.get(&file).status(), 404);
    let job = api.inner.next_job(api.now).unwrap();
    assert_eq!(job.image_url(), Some(ADDRESS));
    api.inner.run_job(job, Some(Ok(png())), &quick()).unwrap();
    api.now += 1000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_done");
    assert_eq!(session["image_url"], ADDRESS);
    assert_eq!(*api.get(&file).body(), png());
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    let job = api.inner.next_job(api.now).unwrap();
    assert_eq!(job.image_url(), None);
    api.inner.run_job(job, None, &quick()).unwrap();
    api.now += 2000;
    assert_eq!(api.session(&code)["status"], "refine_done");
}

#[test]
fn what_was_fetched_stays_where_the_work_is_interrupted() {
    let (api, _) = elsewhere();
    let job = api.inner.next_job(api.now).unwrap();
    let given_up = Stub(|_: &api::Source, _: &mut api::Progress| Err(api::ModelError::Cancelled));
    api.inner.run_job(job, Some(Ok(png())), &given_up).unwrap();
    assert_eq!(api.inner.next_job(api.now).unwrap().image_url(), None);
}

#[test]
fn a_session_fails_where_its_picture_cannot_be_had() {
    let half = png()[..60].to_vec();
    for (fetched, words) in [
        (
            Some(Err("it answered 404".to_owned())),
            "image_url: the picture cannot be had: it answered 404",
        ),
        (
            Some(Ok(b"<html>Hello</html>".to_vec())),
            "image_url: the data is no picture that is known",
        ),
        (
            Some(Ok(Vec::new())),
            "image_url: the data is no picture that is known",
        ),
        (Some(Ok(half)), "image_url: the image/png cannot be read"),
        (None, "nobody fetched it"),
    ] {
        let (mut api, code) = elsewhere();
        let job = api.inner.next_job(api.now).unwrap();
        api.inner.run_job(job, fetched, &quick()).unwrap();
        api.now += 1000;
        let session = api.session(&code);
        assert_eq!(session["status"], "preview_failed");
        assert!(
            session["error"].as_str().unwrap().contains(words),
            "{session}"
        );
        assert_eq!(session["image_url"], ADDRESS);
        assert_eq!(api.get(&format!("/files/{code}/image")).status(), 404);
    }
}
