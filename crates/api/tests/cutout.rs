//! How the object of an image is found, and what the session says about it.

mod support;

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::{
    Change, Client, Config, Detail, Engine, Entries, Model, ModelError, Progress, Retention,
    Sculptor, SegmentError, Segmenter, Source, VIEW_COUNT,
};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, Rgba, RgbaImage};
use serde_json::{Value, json};
use support::*;

/// What the network of a test does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Network {
    /// Sees the red pixels as the object.
    FindsRed,
    Fails,
    /// There is no network.
    Absent,
}

const NETWORKS: [Network; 3] = [Network::FindsRed, Network::Fails, Network::Absent];

/// A network that counts its runs.
struct CountingSegmenter {
    network: Network,
    runs: AtomicUsize,
}

impl Segmenter for CountingSegmenter {
    fn input_size(&self) -> (u32, u32) {
        (32, 32)
    }

    fn segment(&self, image: &RgbaImage) -> Result<Vec<f32>, SegmentError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        if self.network == Network::Fails {
            return Err(SegmentError("it is out of order".into()));
        }
        let is_red = |pixel: &Rgb<u8>| pixel[0] > 128 && pixel[2] < 128;
        let logit = |pixel| if is_red(pixel) { 9.0 } else { -9.0 };
        let input = sculpt::network_input(image, self.input_size());
        Ok(input.pixels().map(logit).collect())
    }
}

impl CountingSegmenter {
    fn new(network: Network) -> Arc<Self> {
        Arc::new(Self {
            network,
            runs: AtomicUsize::default(),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }
}

fn config(network: Network) -> (Config, Arc<CountingSegmenter>) {
    let segmenter = CountingSegmenter::new(network);
    let config = Config {
        segmenter: match network {
            Network::Absent => None,
            _ => Some(segmenter.clone()),
        },
        ..Config::default()
    };
    (config, segmenter)
}

fn png_uri(image: impl Into<DynamicImage>) -> Value {
    let mut png = Cursor::new(Vec::new());
    image.into().write_to(&mut png, ImageFormat::Png).unwrap();
    data_uri("image/png", &png.into_inner()).into()
}

/// 64 × 64 pixels: a red square in the middle, a quarter of the image, on blue with this opacity.
fn square(opacity: u8) -> Value {
    png_uri(RgbaImage::from_fn(64, 64, |x, y| {
        match is_in_square(x, y) {
            true => Rgba([255, 0, 0, 255]),
            false => Rgba([0, 0, 255, opacity]),
        }
    }))
}

fn is_in_square(x: u32, y: u32) -> bool {
    (16..48).contains(&x) && (16..48).contains(&y)
}

const OPAQUE: u8 = 255;
const TRANSPARENT: u8 = 0;

/// Creates a session with a preview, and returns it when it has ended.
fn finished(api: &mut TestApi, mut body: Value) -> Value {
    body["generate_preview_mesh"] = true.into();
    body["resolution"] = "low_poly".into();
    let code = code(&api.create(body));
    api.now += 1000;
    api.session(&code)
}

/// Returns what was cut out, as method and shape, or the error of the session.
fn outcome(session: &Value) -> Result<(&str, &str), &str> {
    match &session["error"] {
        Value::String(error) => {
            assert_eq!(session["cutout"], Value::Null);
            Err(error)
        }
        _ => {
            let cutout = &session["cutout"];
            let text = |name: &str| cutout[name].as_str().unwrap();
            assert_eq!(text("method") == "network", cutout["confidence"].is_f64());
            Ok((text("method"), text("shape")))
        }
    }
}

const FAILED: &str = "the cut-out network is not available: it is out of order";
const ABSENT: &str = "the cut-out network is not available: this server has none";

fn assert_choice(choice: &Value, opacity: u8, expected: [Result<(&str, &str), &str>; 3]) {
    for (network, expected) in NETWORKS.into_iter().zip(expected) {
        let (config, segmenter) = config(network);
        let mut api = TestApi::with(&config);
        let body = json!({"image_url": square(opacity), "cutout": choice});
        let session = finished(&mut api, body);
        assert_eq!(outcome(&session), expected, "{choice}, {network:?}");
        let needs_network = match expected {
            Ok((method, _)) => method == "network" || (*choice == "auto" && method == "background"),
            Err(_) => true,
        };
        let is_run = needs_network && network != Network::Absent;
        assert_eq!(
            segmenter.runs(),
            usize::from(is_run),
            "{choice}, {network:?}"
        );
        if expected.is_ok_and(|(_, shape)| shape == "object") {
            let coverage = session["cutout"]["coverage"].as_f64().unwrap();
            assert!(
                (0.2..0.3).contains(&coverage),
                "{choice}, {network:?}: {coverage}"
            );
        }
    }
}

const BY_NETWORK: Result<(&str, &str), &str> = Ok(("network", "object"));
const BY_BACKGROUND: Result<(&str, &str), &str> = Ok(("background", "object"));
const BY_ALPHA: Result<(&str, &str), &str> = Ok(("alpha", "object"));

#[test]
fn auto_takes_the_transparency_then_the_network_then_the_background() {
    for choice in [json!("auto"), Value::Null] {
        assert_choice(&choice, TRANSPARENT, [BY_ALPHA; 3]);
    }
    let opaque = [BY_NETWORK, BY_BACKGROUND, BY_BACKGROUND];
    assert_choice(&json!("auto"), OPAQUE, opaque);
}

#[test]
fn keep_takes_the_transparency_or_the_whole_image() {
    assert_choice(&json!("keep"), TRANSPARENT, [BY_ALPHA; 3]);
    assert_choice(&json!("keep"), OPAQUE, [Ok(("none", "relief")); 3]);
}

#[test]
fn network_fails_the_session_without_a_network() {
    for opacity in [OPAQUE, TRANSPARENT] {
        let expected = [BY_NETWORK, Err(FAILED), Err(ABSENT)];
        assert_choice(&json!("network"), opacity, expected);
    }
}

#[test]
fn background_needs_no_network() {
    for opacity in [OPAQUE, TRANSPARENT] {
        assert_choice(&json!("background"), opacity, [BY_BACKGROUND; 3]);
    }
}

#[test]
fn rejects_an_invalid_choice() {
    let api = TestApi::new();
    for (choice, received) in [
        (json!("x"), "\"x\""),
        (json!(true), "true"),
        (json!([]), "[]"),
    ] {
        let response = api.post(SESSIONS, &with_image(json!({"cutout": choice})));
        let expected = format!(
            "Invalid cutout {received}: expected \"auto\", \"keep\", \"network\" or \"background\""
        );
        assert_eq!(error_message(&response, 400), expected);
    }
}

/// A mask of the square in the middle of an image of this size.
fn opacity_mask() -> Value {
    png_uri(RgbaImage::from_fn(64, 64, |x, y| {
        Rgba([0, 0, 0, if is_in_square(x, y) { 255 } else { 0 }])
    }))
}

fn brightness_mask(size: u32) -> Value {
    let scale = size / 64;
    png_uri(GrayImage::from_fn(size, size, |x, y| {
        Luma([if is_in_square(x / scale, y / scale) {
            255
        } else {
            0
        }])
    }))
}

#[test]
fn mask_of_the_caller_decides_in_place_of_the_choice() {
    for (name, mask) in [
        ("opacity", opacity_mask()),
        ("brightness", brightness_mask(64)),
        ("larger", brightness_mask(640)),
    ] {
        for choice in ["auto", "keep", "network", "background"] {
            let (config, segmenter) = config(Network::FindsRed);
            let mut api = TestApi::with(&config);
            let body = json!({"image_url": square(OPAQUE), "mask_url": mask, "cutout": choice});
            let session = finished(&mut api, body);
            let cutout = &session["cutout"];
            assert_eq!(cutout["method"], "mask", "{name}: {session}");
            assert_eq!(cutout["shape"], "object", "{name}");
            assert_eq!(cutout["coverage"], 0.25, "{name}");
            assert_eq!(segmenter.runs(), 0, "{name}");
        }
    }
}

#[test]
fn rejects_an_invalid_mask() {
    const DATA_URL: &str = "expected a base64 data: URL of an image";
    let gray = |width, height, value| png_uri(GrayImage::from_pixel(width, height, Luma([value])));
    let api = TestApi::new();
    for (name, mask, expected) in [
        (
            "an https URL",
            json!("https://example.com/a.png"),
            format!("Invalid mask_url \"https://example.com/a.png\": {DATA_URL}"),
        ),
        ("a text", json!("x"), format!("Invalid mask_url \"x\": {DATA_URL}")),
        ("a number", json!(7), format!("Invalid mask_url 7: {DATA_URL}")),
        (
            "no base64",
            json!("data:image/png,x"),
            "Invalid mask_url \"data:image/png,x\": expected data:image/<type>;base64,<image>".into(),
        ),
        (
            "no image",
            data_uri("image/png", b"no image").into(),
            "mask_url: unrecognized image format (first bytes: 6e 6f 20 69 …). Supported: ".into(),
        ),
        (
            "other proportions",
            gray(20, 20, 255),
            "mask_url: the mask has 20 × 20 pixels: expected the proportions of the image, 40 × 20"
                .into(),
        ),
        (
            "an empty mask",
            gray(40, 20, 0),
            "mask_url: the mask is empty: expected the object to be white, or opaque if the mask has \
             transparent pixels"
                .into(),
        ),
    ] {
        let body = with_image(json!({"mask_url": mask}));
        let message = error_message(&api.post(SESSIONS, &body), 400);
        assert!(message.starts_with(&expected), "{name}: {message}");
    }
    api.create(json!({"mask_url": null}));
}

#[test]
fn mask_is_compared_with_a_downloaded_image_when_there_is_one() {
    let mut api = TestApi::without_engine(&Config::default());
    let body = json!({"image_url": "https://example.com/", "mask_url": brightness_mask(64)});
    let code = code(&api.create(body));
    let job = api.inner.next_job(api.now + 1000).unwrap().unwrap();
    api.inner.run_job(job, Some(Ok(png())), &Sculptor).unwrap();
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(
        outcome(&session),
        Err(
            "mask_url: the mask has 64 × 64 pixels: expected the proportions of the image, 40 × 20"
        )
    );
}

#[test]
fn session_of_a_preview_and_a_refinement_runs_the_network_once() {
    let (config, segmenter) = config(Network::FindsRed);
    let mut api = TestApi::with(&config);
    let session = finished(&mut api, json!({"image_url": square(OPAQUE)}));
    let cutout = &session["cutout"];
    assert_eq!(segmenter.runs(), 1);
    let code = code(&session);
    // The choice belongs to the session.
    assert_eq!(api.refine(&code, &json!({"cutout": "keep"})).status(), 200);
    api.now += 2000;
    let refined = api.session(&code);
    assert_eq!(refined["status"], "refine_done");
    assert_eq!(refined["cutout"], *cutout);
    assert_eq!(segmenter.runs(), 1);
}

#[test]
fn turbo_session_runs_the_network_once_across_processes() {
    let store = SharedStore::default();
    let (config, segmenter) = config(Network::FindsRed);
    let mut api = store.open(&config, START);
    let body =
        json!({"image_url": square(OPAQUE), "preview_mesh": "turbo", "resolution": "low_poly"});
    let code = code(&api.create(body));
    api.now += 1000;
    let cutout = api.session(&code)["cutout"].clone();
    assert_eq!(cutout["method"], "network");
    let body = json!({"selected_spin_index": 1, "auto_refine": true});
    for request in [
        format!("{SESSIONS}/get-3d/preview/{code}"),
        format!("{SESSIONS}/get-3d/refine/{code}"),
    ] {
        api = store.open(&config, api.now);
        assert_eq!(api.post(&request, &body).status(), 200);
        api.now += 2000;
        assert_eq!(api.session(&code)["cutout"], cutout);
    }
    assert_eq!(api.session(&code)["status"], "refine_done");
    assert_eq!(segmenter.runs(), 1);
}

#[test]
fn report_and_file_appear_with_the_first_result() {
    let (config, _) = config(Network::FindsRed);
    let mut api = TestApi::with(&config);
    let body = json!({"image_url": square(OPAQUE), "generate_preview_mesh": true});
    let code = code(&api.create(body));
    let file = format!("/files/{code}/cutout.png");
    // The model is made at once, but shown at the end of its stage.
    api.now += 999;
    assert_eq!(api.session(&code)["cutout"], Value::Null);
    assert_eq!(api.get(&file).status(), 404);
    assert_eq!(api.get(&format!("/files/{code}/mask")).status(), 404);
    api.now += 1;
    let url = json!(format!("http://here:1234{file}"));
    assert_eq!(
        api.session(&code)["cutout"],
        json!({
            "method": "network",
            "coverage": 0.25,
            "confidence": 1.0,
            "shape": "object",
            "mask_url": url,
        })
    );
    let png = api.get_url(&url);
    let header = |name: &str| png.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("cache-control"), "private, max-age=86400");
    let mask = image::load_from_memory(png.body()).unwrap();
    assert_eq!(mask.color(), image::ColorType::L8);
    let mask = mask.to_luma8();
    let [center, corner] = [(32, 32), (2, 2)].map(|(x, y)| mask.get_pixel(x, y)[0]);
    assert_eq!((mask.dimensions(), center, corner), ((64, 64), 255, 0));
    let cached = [("if-none-match", header("etag"))];
    assert_eq!(api.send(request("GET", &file, &cached, "")).status(), 304);
    // Each file of a session has another tag.
    let model = api.get(&format!("/files/{code}/preview.glb"));
    assert_ne!(model.headers()["etag"], png.headers()["etag"]);
}

#[test]
fn coverage_is_rounded() {
    let mask = png_uri(GrayImage::from_fn(40, 20, |x, _| {
        Luma([if x < 12 { 255 } else { 0 }])
    }));
    let mut api = TestApi::new();
    let session = finished(&mut api, json!({"mask_url": mask}));
    assert_eq!(session["cutout"]["coverage"].to_string(), "0.3");
}

#[test]
fn file_of_a_client_needs_its_token() {
    let key = [("x-api-key", "key of shop")];
    let mut api = TestApi::with(&Config {
        clients: vec![Client {
            name: "shop".into(),
            key: key[0].1.into(),
        }],
        ..Config::default()
    });
    let body = json!({"generate_preview_mesh": true, "resolution": "low_poly"});
    let code = code(&api.create_with(&key, body));
    api.now += 1000;
    let session = data(&api.send(request("GET", &format!("{SESSIONS}/{code}"), &key, "")));
    assert_eq!(api.get_url(&session["cutout"]["mask_url"]).status(), 200);
    assert_eq!(api.get(&format!("/files/{code}/cutout.png")).status(), 404);
}

#[test]
fn idempotency_key_belongs_to_the_mask() {
    let api = TestApi::new();
    let key = [("idempotency-key", "k")];
    let body = |mask: Value| json!({"image_url": square(OPAQUE), "mask_url": mask}).to_string();
    let send = |body: &str| api.send(request("POST", SESSIONS, &key, body));
    let created = code(&data(&send(&body(opacity_mask()))));
    assert_eq!(code(&data(&send(&body(opacity_mask())))), created);
    assert_eq!(send(&body(brightness_mask(64))).status(), 409);
}

#[test]
fn mask_and_cutout_count_as_stored_bytes() {
    let mut random = fastrand::Rng::with_seed(17);
    let noise = GrayImage::from_fn(400, 200, |_, _| Luma([random.u8(..)]));
    let create = |api: &mut TestApi| {
        let body = json!({"mask_url": png_uri(noise.clone()), "generate_preview_mesh": true});
        let code = code(&api.create(body));
        api.now += 1000;
        assert_eq!(api.session(&code)["status"], "preview_done");
        code
    };
    let store = SharedStore::default();
    let stored = |store: &SharedStore| store.sizes().values().sum::<usize>();
    let mut api = store.open(&Config::default(), START);
    let first = create(&mut api);
    let bytes = stored(&store);
    // Without the mask or without the cutout, both sessions would fit.
    let config = Config {
        retention: Retention {
            max_age: u64::MAX,
            max_bytes: 2 * bytes as u64 - 20_000,
            max_bytes_per_client: None,
        },
        ..Config::default()
    };
    let mut api = store.open(&config, api.now);
    let second = create(&mut api);
    api.inner.delete_expired(api.now).unwrap();
    let exists = |code| api.get(&format!("{SESSIONS}/{code}")).status() == 200;
    assert_eq!((exists(&first), exists(&second)), (false, true));
    assert_eq!(
        api.send(request("DELETE", &format!("{SESSIONS}/{second}"), &[], ""))
            .status(),
        204
    );
    assert_eq!(store.len(), 0);
}

/// Cuts out twice, saves a checkpoint, and stops if it is configured to.
struct CuttingEngine {
    stops: bool,
}

impl Engine for CuttingEngine {
    fn model(
        &self,
        source: Source,
        _: Detail,
        _: usize,
        _: &mut Progress,
    ) -> Result<Model, ModelError> {
        let image = source.image.decode()?;
        for _ in 0..2 {
            source.image.cut_out(&image)?;
            source.checkpoint.save("job 17")?;
        }
        match self.stops {
            true => Err(ModelError::Cancelled),
            false => Ok(b"glTF".to_vec().into()),
        }
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Err(ModelError::Cancelled)
    }
}

#[test]
fn cutout_is_stored_with_the_checkpoint_of_a_remote_job() {
    let store = SharedStore::default();
    let (config, segmenter) = config(Network::FindsRed);
    let mut now = START;
    let mut session = Value::Null;
    for stops in [true, false] {
        let mut api = store.open(&config, now);
        api.engine = None;
        if session == Value::Null {
            let body = json!({"image_url": square(OPAQUE), "generate_preview_mesh": true});
            session = api.create(body);
        }
        let job = api.inner.next_job(api.now).unwrap().unwrap();
        api.inner
            .run_job(job, None, &CuttingEngine { stops })
            .unwrap();
        now += 1000;
    }
    assert_eq!(segmenter.runs(), 1);
    let api = store.open(&config, now);
    let session = api.session(&code(&session));
    assert_eq!(outcome(&session), BY_NETWORK);
    assert_eq!(api.get_url(&session["cutout"]["mask_url"]).status(), 200);
}

#[test]
fn session_without_a_cutout_reports_none() {
    let mut api = TestApi::new();
    api.engine = Some(Box::new(instant_engine()));
    let session = finished(&mut api, json!({}));
    assert_eq!(session["status"], "preview_done");
    assert_eq!(session.get("cutout"), None);
    let file = format!("/files/{}/cutout.png", code(&session));
    assert_eq!(api.get(&file).status(), 404);
}

#[test]
fn session_of_an_earlier_version_gets_a_cutout_with_its_next_stage() {
    let store = SharedStore::default();
    let (config, segmenter) = config(Network::FindsRed);
    let mut api = store.open(&config, START);
    api.engine = Some(Box::new(instant_engine()));
    let session = finished(&mut api, json!({"image_url": square(OPAQUE)}));
    let code = code(&session);
    let key = format!("session/{code}");
    let mut record: Value = serde_json::from_slice(&store.get(&key).unwrap().unwrap()).unwrap();
    assert!(record.as_object_mut().unwrap().remove("cutout").is_some());
    let change = Change::Put(key, record.to_string().into_bytes().into());
    store.commit(vec![change]).unwrap();

    let mut api = store.open(&config, api.now);
    assert_eq!(api.session(&code).get("cutout"), None);
    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(outcome(&session), BY_NETWORK);
    assert_eq!(api.get_url(&session["cutout"]["mask_url"]).status(), 200);
    assert_eq!(segmenter.runs(), 1);
}

/// Panics on the first image, as a network may.
struct PanickingSegmenter(AtomicUsize);

impl Segmenter for PanickingSegmenter {
    fn input_size(&self) -> (u32, u32) {
        (8, 8)
    }

    fn segment(&self, _: &RgbaImage) -> Result<Vec<f32>, SegmentError> {
        assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 0, "the first image");
        Ok((0..64).map(|at| if at < 32 { 9.0 } else { -9.0 }).collect())
    }
}

#[test]
fn panic_of_the_network_fails_one_session() {
    let mut api = TestApi::with(&Config {
        segmenter: Some(Arc::new(PanickingSegmenter(AtomicUsize::default()))),
        ..Config::default()
    });
    let session = finished(&mut api, json!({"image_url": square(OPAQUE)}));
    assert_eq!(session["status"], "preview_failed");
    let session = finished(&mut api, json!({"image_url": square(OPAQUE)}));
    assert_eq!(outcome(&session), BY_NETWORK);
}
