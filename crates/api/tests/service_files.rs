//! Model files that an engine's service made.
#![allow(missing_docs)]

mod support;

use api::{
    Config, Detail, Engine, Model, ModelError, Progress, Sculptor, ServiceFile, ServiceFormat,
    Source, VIEW_COUNT,
};
use serde_json::{Value, json};
use support::*;

/// Delivers FBX and USDZ. If the model is packed, it cannot be converted.
struct Service {
    is_packed: bool,
}

const CONVERTIBLE: Service = Service { is_packed: false };
const PACKED: Service = Service { is_packed: true };

impl Engine for Service {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError> {
        let expected: &[_] = match detail {
            Detail::Preview => &[],
            Detail::Refined => &[ServiceFormat::Fbx, ServiceFormat::Usdz],
        };
        assert_eq!(source.service_formats, expected);
        let mut model = match self.is_packed {
            true => b"glTF".to_vec().into(),
            false => Sculptor.model(source, detail, view, progress)?,
        };
        for format in [ServiceFormat::Fbx, ServiceFormat::Usdz] {
            let bytes = format!("{detail:?} as {}", format.name()).into_bytes();
            model.service_files.push(ServiceFile { format, bytes });
        }
        Ok(model)
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Err(ModelError::Cancelled)
    }
}

fn start(store: &SharedStore, service: Service) -> TestApi {
    let mut api = store.open(&Config::default(), START);
    api.engine = Some(Box::new(service));
    api
}

#[track_caller]
fn assert_file(api: &TestApi, url: &Value, media_type: &str, content: &str) {
    let file = api.get_url(url);
    assert_eq!(file.status(), 200, "{url}");
    assert_eq!(file.headers()["content-type"], media_type, "{url}");
    assert_eq!(text(&file), content);
}

#[test]
fn files_of_a_service_are_offered_in_place_of_conversions() {
    let store = SharedStore::default();
    let mut api = start(&store, CONVERTIBLE);
    let code = code(&api.create(json!({"auto_refine": true})));
    api.now += 10_000;
    let session = api.session(&code);
    assert_eq!(session["status"], "refine_done");
    // The refinement delivers none of its own.
    for field in ["preview_mesh_url", "mesh_url"] {
        let url = |format: &str| &session[format!("{field}_{format}")];
        let fbx = "application/octet-stream";
        assert_file(&api, url("fbx"), fbx, "Preview as fbx");
        assert_file(&api, url("usdz"), "model/vnd.usdz+zip", "Preview as usdz");
        assert!(api.get_url(url("3mf")).body().starts_with(b"PK"));
    }
    // Sessions, images, two models, two files of the service, cutouts.
    assert_eq!(store.len(), 1 + 1 + 2 + 2 + 1);
    // Also after a restart.
    let api = store.open(&Config::default(), START + 20_000);
    let usdz = &session["mesh_url_usdz"];
    assert_file(&api, usdz, "model/vnd.usdz+zip", "Preview as usdz");
    let path = format!("{SESSIONS}/{code}");
    let deleted = api.send(request("DELETE", &path, &[], ""));
    assert_eq!(deleted.status(), 204);
    assert_eq!(store.len(), 0);
}

#[test]
fn refinement_with_another_size_offers_conversions_where_there_are_any() {
    let mut api = start(&SharedStore::default(), CONVERTIBLE);
    let code = code(&api.create(json!({})));
    api.now += 10_000;
    let size = json!({"scaled_bbox": [1, 2, 3]});
    assert_eq!(api.refine(&code, &size).status(), 200);
    api.now += 10_000;
    let session = api.session(&code);
    assert_eq!(session["status"], "refine_done");
    let url = |field: &str| session[field].as_str().unwrap().to_owned();
    assert!(url("mesh_url_usdz").ends_with("/mesh.usdz"));
    let usdz = api.get_url(&session["mesh_url_usdz"]);
    assert!(usdz.body().starts_with(b"PK"));
    assert!(url("mesh_url_fbx").ends_with("/preview.fbx"));
    assert!(url("preview_mesh_url_usdz").ends_with("/preview.usdz"));
}

#[test]
fn model_that_cannot_be_converted_is_offered_as_the_service_made_it() {
    let mut api = start(&SharedStore::default(), PACKED);
    let code = code(&api.create(json!({})));
    api.now += 10_000;
    let session = api.session(&code);
    let names = session.as_object().unwrap().keys();
    let offered: Vec<_> = names.filter(|name| name.starts_with("mesh_url")).collect();
    assert_eq!(offered, ["mesh_url_fbx", "mesh_url_glb", "mesh_url_usdz"]);
    let message = error_message(&api.get(&format!("/files/{code}/mesh.fbx")), 404);
    assert!(message.ends_with("has no file mesh.fbx"), "{message}");
}
