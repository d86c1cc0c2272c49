//! Several engines to choose from, and what they leave with a session.
#![allow(missing_docs)]

mod support;

use std::sync::Mutex;

use sandbox::{Config, Detail, Engine, Model, Progress, Sculptor, Source, Stopped, VIEWS};
use serde_json::{Value, json};
use support::*;

/// Writes down what it is asked for, and breaks off where it is told to.
struct Noting<'a> {
    notes: &'a Mutex<Vec<Option<String>>>,
    breaks_off: bool,
}

impl Engine for Noting<'_> {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        _: usize,
        _: &mut Progress,
    ) -> Result<Model, Stopped> {
        self.notes.lock().unwrap().push(source.errand.note());
        assert_eq!(source.preview.is_some(), detail == Detail::Refined);
        source.errand.write(&format!("{detail:?}"))?;
        source.errand.say("two before it");
        if self.breaks_off {
            return Err(Stopped::Cancelled);
        }
        Ok(Model {
            glb: b"glTF".into(),
            unsupported: vec!["creativity".into()],
        })
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEWS], Stopped> {
        Err(Stopped::Cancelled)
    }
}

fn two() -> Config {
    Config {
        engines: vec!["far".into(), "sculpt".into()],
        ..Default::default()
    }
}

#[test]
fn a_caller_chooses_and_others_get_the_first() {
    let api = Api::idle(&two());
    assert_eq!(api.create(json!({}))["engine"], "far");
    assert_eq!(api.create(json!({"engine": null}))["engine"], "far");
    assert_eq!(api.create(json!({"engine": "sculpt"}))["engine"], "sculpt");
    for (engine, words) in [
        (
            json!("magic"),
            "engine: came \"magic\", allowed: far, sculpt",
        ),
        (json!(7), "engine: came 7, allowed: the name of an engine"),
    ] {
        let refused = api.post(SESSIONS, &with_picture(json!({"engine": engine})));
        assert_eq!(refused.status(), 400);
        let body: Value = serde_json::from_slice(refused.body()).unwrap();
        assert_eq!(body["message"], words);
    }
    let sculpt = |name: &str| name == "sculpt";
    let later = api.now + 1000;
    assert_eq!(
        api.sandbox.next_job_of(&sculpt, later).unwrap().engine(),
        "sculpt"
    );
    assert!(
        api.sandbox
            .next_due_of(&|name| name == "other", later)
            .is_none()
    );
}

#[test]
fn a_note_outlives_the_process_and_ends_with_its_stage() {
    let store = Shared::default();
    let notes = Mutex::default();
    let work = |api: &Api, breaks_off| {
        let notes = &notes;
        let job = api.sandbox.next_job(api.now).unwrap();
        let engine = Noting { notes, breaks_off };
        api.sandbox.work(job, None, &engine).unwrap();
    };
    let mut api = store.open(&two(), START);
    api.engine = None;
    let session = api.create(json!({"auto_refine": true}));
    let code = session["session_code"].as_str().unwrap().to_owned();
    api.now += 1000;
    work(&api, true);
    api = store.open(&two(), api.now);
    api.engine = None;
    work(&api, false);
    api.now += 1000;
    assert_eq!(api.session(&code)["unsupported"], json!(["creativity"]));
    work(&api, false);
    let expected = [None, Some("Preview".to_owned()), None];
    assert_eq!(*notes.lock().unwrap(), expected);
}

#[test]
fn what_is_waited_for_is_said_while_it_is() {
    let mut api = Api::idle(&two());
    let session = api.create(json!({}));
    let code = session["session_code"].as_str().unwrap().to_owned();
    api.now += 1000;
    let seen = Mutex::new(Value::Null);
    let engine = Stub(|source: &Source, _: &mut Progress| {
        source.errand.say("two before it");
        let polled = api.sandbox.handle(
            &request("GET", &format!("{SESSIONS}/{code}"), &[], ""),
            api.now,
        );
        *seen.lock().unwrap() = serde_json::from_slice(polled.body()).unwrap();
        Ok(())
    });
    let job = api.sandbox.next_job(api.now).unwrap();
    api.sandbox.work(job, None, &engine).unwrap();
    assert_eq!(
        seen.into_inner().unwrap()["data"]["engine_status"],
        "two before it"
    );
    api.now += 1000;
    assert_eq!(api.session(&code)["engine_status"], Value::Null);
}

/// Makes a preview whose triangles are packed, and a refined model that is like any other.
struct Packing;

impl Engine for Packing {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, Stopped> {
        let mut model = Sculptor.model(source, detail, view, progress)?;
        if detail == Detail::Preview {
            let mut file = gltf::Glb::from_slice(&model.glb).unwrap();
            let mut json: Value = serde_json::from_slice(&file.json).unwrap();
            json["extensionsRequired"] = json!(["KHR_draco_mesh_compression"]);
            file.json = serde_json::to_vec(&json).unwrap().into();
            model.glb = file.to_vec().unwrap();
        }
        Ok(model)
    }

    fn views(&self, source: Source, progress: &mut Progress) -> Result<[Vec<u8>; VIEWS], Stopped> {
        Sculptor.views(source, progress)
    }
}

/// The names of the fields with the addresses of models.
fn offered(session: &Value) -> Vec<&str> {
    let names = session.as_object().unwrap().keys().map(String::as_str);
    names.filter(|name| name.contains("mesh_url")).collect()
}

const REFINED: [&str; 5] = [
    "mesh_url",
    "mesh_url_glb",
    "mesh_url_obj",
    "mesh_url_stl",
    "mesh_url_zip",
];

#[test]
fn a_model_is_offered_in_the_formats_that_it_can_be_written_in() {
    let mut api = Api::idle(&Config::default());
    api.engine = Some(Box::new(Packing));
    let code = code(&api.create(json!({})));
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_done");
    assert_eq!(offered(&session), ["mesh_url_glb", "preview_mesh_url_glb"]);
    assert_eq!(api.follow(&session["mesh_url_glb"]).status(), 200);
    let words = refused(&api.get(&format!("/files/{code}/preview.obj")), 500);
    assert!(words.contains("KHR_draco_mesh_compression"), "{words}");

    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(session["status"], "refine_done");
    let expected = REFINED.into_iter().chain(["preview_mesh_url_glb"]);
    assert_eq!(offered(&session), expected.collect::<Vec<_>>());
    for name in REFINED {
        assert_eq!(api.follow(&session[name]).status(), 200, "{name}");
    }
}
