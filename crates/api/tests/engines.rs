//! Several engines to choose from, and what they leave with a session.
#![allow(missing_docs)]

mod support;

use std::sync::Mutex;

use api::{
    Config, Detail, Engine, Millis, Model, ModelError, Progress, Sculptor, Source, VIEW_COUNT,
};
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
    ) -> Result<Model, ModelError> {
        self.notes.lock().unwrap().push(source.checkpoint.load());
        assert_eq!(source.preview.is_some(), detail == Detail::Refined);
        source.checkpoint.save(&format!("{detail:?}"))?;
        source.checkpoint.set_status("two before it");
        if self.breaks_off {
            return Err(ModelError::Cancelled);
        }
        Ok(Model {
            glb: b"glTF".into(),
            unsupported: vec!["creativity".into()],
        })
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Err(ModelError::Cancelled)
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
    let api = TestApi::idle(&two());
    assert_eq!(api.create(json!({}))["engine"], "far");
    assert_eq!(api.create(json!({"engine": null}))["engine"], "far");
    assert_eq!(api.create(json!({"engine": "sculpt"}))["engine"], "sculpt");
    for (engine, words) in [
        (
            json!("magic"),
            "engine: came \"magic\", allowed: far, sculpt",
        ),
        (json!(7), "Invalid engine 7: expected the name of an engine"),
    ] {
        let refused = api.post(SESSIONS, &with_picture(json!({"engine": engine})));
        assert_eq!(refused.status(), 400);
        let body: Value = serde_json::from_slice(refused.body()).unwrap();
        assert_eq!(body["message"], words);
    }
    let sculpt = |name: &str| name == "sculpt";
    let later = api.now + 1000;
    assert_eq!(
        api.inner.next_job_for(&sculpt, later).unwrap().engine(),
        "sculpt"
    );
    assert!(
        api.inner
            .next_due_for(&|name| name == "other", later)
            .is_none()
    );
}

#[test]
fn a_note_outlives_the_process_and_ends_with_its_stage() {
    let store = Shared::default();
    let notes = Mutex::default();
    let work = |api: &TestApi, breaks_off| {
        let notes = &notes;
        let job = api.inner.next_job(api.now).unwrap();
        let engine = Noting { notes, breaks_off };
        api.inner.run_job(job, None, &engine).unwrap();
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
    let mut api = TestApi::idle(&two());
    let session = api.create(json!({}));
    let code = session["session_code"].as_str().unwrap().to_owned();
    api.now += 1000;
    let seen = Mutex::new(Value::Null);
    let engine = Stub(|source: &Source, _: &mut Progress| {
        source.checkpoint.set_status("two before it");
        let polled = api.inner.handle(
            &request("GET", &format!("{SESSIONS}/{code}"), &[], ""),
            api.now,
        );
        *seen.lock().unwrap() = serde_json::from_slice(polled.body()).unwrap();
        Ok(())
    });
    let job = api.inner.next_job(api.now).unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    assert_eq!(
        seen.into_inner().unwrap()["data"]["engine_status"],
        "two before it"
    );
    api.now += 1000;
    assert_eq!(api.session(&code)["engine_status"], Value::Null);
}

#[test]
fn what_an_engine_has_begun_goes_before_what_is_older() {
    let store = Shared::default();
    let notes = Mutex::default();
    let mut api = store.open(&two(), START);
    api.engine = None;
    let codes: Vec<_> = (0..4)
        .map(|_| {
            api.now += 10;
            code(&api.create(json!({"generate_preview_mesh": true})))
        })
        .collect();
    let jobs = codes.iter().map(|_| api.inner.next_job(api.now).unwrap());
    let jobs: Vec<_> = jobs.collect();
    for (at, job) in jobs.into_iter().enumerate() {
        let engine = Noting {
            notes: &notes,
            breaks_off: true,
        };
        if at >= 2 {
            api.inner.run_job(job, None, &engine).unwrap();
        }
    }
    let api = store.open(&two(), api.now);
    let worked = Mutex::new(Vec::new());
    let engine = Stub(|source: &Source, _: &mut Progress| {
        worked.lock().unwrap().push(source.code.to_owned());
        Ok(())
    });
    while let Some(job) = api.inner.next_job(api.now) {
        api.inner.run_job(job, None, &engine).unwrap();
    }
    let expected = [2, 3, 0, 1].map(|at: usize| codes[at].clone());
    assert_eq!(worked.into_inner().unwrap(), expected);
}

/// What a poll shows after so many milliseconds: `status`, `session_status`, `percent_done`.
fn shown(api: &TestApi, code: &str, after: Millis) -> Value {
    let poll = request("GET", &format!("{SESSIONS}/{code}"), &[], "");
    let session = data(&api.inner.handle(&poll, START + after));
    json!([
        session["status"],
        session["session_status"],
        session["percent_done"]
    ])
}

/// Works the next job with an engine that tells these parts, and answers what polls show meanwhile.
fn told(api: &TestApi, code: &str, after: Millis, parts: &[f32]) -> Vec<Value> {
    let seen = Mutex::new(Vec::new());
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        for part in parts {
            assert!(progress(*part).is_continue());
            seen.lock().unwrap().push(shown(api, code, after));
        }
        Ok(())
    });
    let job = api.inner.next_job(START + after).unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    seen.into_inner().unwrap()
}

#[test]
fn the_percentage_is_that_of_the_engine_itself() {
    let api = TestApi::idle(&two());
    let code = code(&api.create(json!({"auto_refine": true})));
    for (after, status) in [
        (0, "spin_generate_processing"),
        (999, "spin_generate_processing"),
        (60_000, "training_preview"),
    ] {
        let waiting = json!([status, "queued", 0]);
        assert_eq!(shown(&api, &code, after), waiting, "after {after} ms");
    }
    let parts = [0.0, 0.01, 0.29, 0.5, 0.2, 1.0];
    let expected = [0, 1, 29, 50, 50, 99].map(|percent| {
        let state = if percent == 0 {
            "queued"
        } else {
            "in_progress"
        };
        json!(["training_preview", state, percent])
    });
    assert_eq!(told(&api, &code, 1100, &parts), expected);
    // The model is there before its time is over, and then all that is left costs the engine none.
    for (after, status) in [(1100, "training_preview"), (2000, "training_refine")] {
        let made = json!([status, "in_progress", 99]);
        assert_eq!(shown(&api, &code, after), made, "after {after} ms");
    }
    let refining = json!(["training_refine", "in_progress", 99]);
    assert_eq!(
        told(&api, &code, 2000, &[0.0, 0.5]),
        [refining.clone(), refining]
    );
    let complete = json!(["refine_done", "complete", 100]);
    assert_eq!(shown(&api, &code, 4000), complete);
}

#[test]
fn who_is_to_choose_waits_in_no_queue() {
    let mut api = TestApi::idle(&two());
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    let viewing = json!(["spin_generate_processing", "queued", 0]);
    assert_eq!(told(&api, &code, 10, &[0.9]), [viewing]);
    let choosing = json!(["spin_generate_done", "in_progress", 0]);
    assert_eq!(shown(&api, &code, 1000), choosing);
    api.now += 1000;
    let chosen = api.preview(&code, &json!({"selected_spin_index": 2}));
    assert_eq!(data(&chosen)["session_status"], "queued");
    let making = json!(["training_preview", "in_progress", 30]);
    assert_eq!(told(&api, &code, 1000, &[0.3]), [making]);
    let complete = json!(["preview_done", "complete", 100]);
    assert_eq!(shown(&api, &code, 2000), complete);
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
    ) -> Result<Model, ModelError> {
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

    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
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
    let mut api = TestApi::idle(&Config::default());
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
