//! Sessions, files, idempotency keys and daily usage that version 0.1.0 stored.

use std::time::{Duration, Instant};

use redb::{Database, ReadableDatabase, TableDefinition};
use serde_json::{Value, json};

use super::harness::{APP, Folder, SHOP};
use crate::emulators::samples::gltf_json;
use crate::support::{
    Response, SESSIONS, Server, create_body, exchange, post, session_code, solid_png,
};

const COMPLETE: &str = "SESSION_1721304000_3391917";
const AT_SPINS: &str = "SESSION_1721304000_3453922";
const NOT_FETCHED: &str = "SESSION_1721304001_9163689";
const SPIN_FAILED: &str = "SESSION_1721304001_0142415";
const PREVIEW_FAILED: &str = "SESSION_1721304001_9164520";
const REFINE_FAILED: &str = "SESSION_1721304001_9400920";
const UNKNOWN_STATUS: &str = "SESSION_1721304001_9853609";
const UNKNOWN_FIELDS: &str = "SESSION_1721304001_0205115";
const OLD_STYLE: &str = "SESSION_1721304001_5183875";
const RESULT_EXPIRED: &str = "SESSION_1721304001_6426620";
const RESULT_NO_CORS: &str = "SESSION_1721304001_9851666";
const RESULT_TRICKLE: &str = "SESSION_1721304001_1900911";
const OF_REMOTE_ENGINE: &str = "SESSION_1721304004_3567836";
const OF_CLIENT: &str = "SESSION_1721304004_4673271";

/// The body of the request that created the session `COMPLETE`.
const CREATE_BODY: &str = r#"{"resolution": "low_poly", "generate_texture": true, "texture_resolution": 128, "auto_refine": true, "creativity": "highest", "scaled_bbox": [1, 2, 3], "image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAATklEQVR42mP4QGPAMGrBqAX0seCEnBwuRAUL8JhOjB0MlBhNjDUDZwFJpuOxg4FapuOyY9SCUQtGLRiwnDwsCjt61Ad0qtFGWxWjFhACAJsaHHxxa2XVAAAAAElFTkSuQmCC"}"#;

fn start() -> (Folder, Server) {
    let folder = Folder::with_data();
    let server = folder.start_server_with_data(&[]);
    (folder, server)
}

#[test]
fn all_sessions_are_listed_and_returned() {
    let (_folder, server) = start();
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 19);
    for listed in sessions {
        let code = session_code(&listed);
        let session = server.session(&code);
        for field in ["_id", "created_at", "engine", "image_url", "resolution"] {
            assert_eq!(session[field], listed[field], "{code}: {field}");
        }
    }
}

/// Checks a session's status and its error.
fn assert_status(code: &str, status: &str, error: Value) {
    let (_folder, server) = start();
    let session = server.session(code);
    assert_eq!(
        (&session["status"], &session["error"]),
        (&json!(status), &error)
    );
}

#[test]
fn complete_session_has_its_parameters() {
    let (_folder, server) = start();
    let session = server.session(COMPLETE);
    assert_eq!(session["status"], "refine_done");
    assert_eq!(session["session_status"], "complete");
    assert_eq!(session["percent_done"], 100);
    assert_eq!(session["created_at"], "2024-07-18T12:00:00.239Z");
    assert_eq!(session["creativity"], "highest");
    assert_eq!(session["resolution"], "low_poly");
    assert_eq!(session["generate_texture"], true);
    assert_eq!(session["texture_resolution"], 128);
    assert_eq!(session["scaled_bbox"], json!([1.0, 2.0, 3.0]));
}

#[test]
fn complete_session_has_its_files() {
    let (_folder, server) = start();
    for stem in ["preview", "mesh"] {
        let glb = server.get(&format!("/files/{COMPLETE}/{stem}.glb"));
        assert_eq!(gltf_json(&glb.body)["images"].as_array().unwrap().len(), 1);
        for format in ["obj", "stl", "zip"] {
            let file = server.get(&format!("/files/{COMPLETE}/{stem}.{format}"));
            assert_eq!(file.status, 200, "{stem}.{format}");
        }
    }
    let image = server.get(&format!("/files/{COMPLETE}/image"));
    assert!(image::load_from_memory(&image.body).is_ok());
}

#[test]
fn session_of_a_remote_engine_has_its_unsupported_parameters_and_formats() {
    let (_folder, server) = start();
    let session = server.session(OF_REMOTE_ENGINE);
    assert_eq!(session["status"], "preview_done");
    assert_eq!(session["engine"], "hunyuan");
    assert_eq!(session["unsupported"], json!(["creativity"]));
    // The model is compressed, so that no other format can be written.
    assert!(session["mesh_url_glb"].is_string());
    assert_eq!(session["mesh_url_obj"], Value::Null);
    let glb = server.get(&format!("/files/{OF_REMOTE_ENGINE}/preview.glb"));
    assert!(glb.body.starts_with(b"glTF"));
}

#[test]
fn session_at_spins_continues_with_the_selected_spin() {
    let (_folder, server) = start();
    let session = server.session(AT_SPINS);
    assert_eq!(session["status"], "spin_generate_done");
    let spins = session["spins"].as_array().unwrap();
    for spin in spins {
        let path = spin["image_url"].as_str().unwrap();
        let path = path.strip_prefix("http://localhost").unwrap();
        assert_eq!(server.get(path).status, 200);
    }
    let path = format!("{SESSIONS}/get-3d/preview/{AT_SPINS}");
    let selection = json!({"selected_spin": spins[1]["image_url"]});
    assert_eq!(server.post(&path, "", &selection).unwrap().status, 200);
    assert_eq!(server.wait_for_end(AT_SPINS)["status"], "preview_done");
}

#[test]
fn session_whose_image_was_not_fetched_has_its_error() {
    let error = "image_url: the picture cannot be had: only https: addresses are fetched";
    assert_status(NOT_FETCHED, "preview_failed", json!(error));
}

#[test]
fn idempotent_create_returns_the_stored_session() {
    let (_folder, server) = start();
    let headers = "idempotency-key: fixture-create\r\n";
    let create = |body: &str| {
        let request = post(SESSIONS, headers, body.as_bytes());
        exchange(&server.host, &request).unwrap()
    };
    let replay = create(CREATE_BODY);
    assert_eq!(replay.status, 201);
    assert_eq!(session_code(&replay.json()["data"]), COMPLETE);
    let other = create(&CREATE_BODY.replace("highest", "lowest"));
    assert_eq!(other.status, 409);
    assert_eq!(server.sessions().len(), 19);
}

/// The faults of sessions, which the key of the create selected.
mod faults {
    use super::*;

    #[test]
    fn spin_failed() {
        let (_folder, server) = start();
        assert_eq!(
            server.session(SPIN_FAILED)["status"],
            "spin_generate_failed"
        );
    }

    #[test]
    fn preview_failed() {
        let (_folder, server) = start();
        assert_eq!(server.session(PREVIEW_FAILED)["status"], "preview_failed");
    }

    #[test]
    fn refine_failed() {
        let (_folder, server) = start();
        assert_eq!(server.session(REFINE_FAILED)["status"], "refine_failed");
    }

    #[test]
    fn unknown_status() {
        let (_folder, server) = start();
        let session = server.session(UNKNOWN_STATUS);
        assert_eq!(session["status"], "warming_up");
        assert_eq!(session["session_status"], "pondering");
    }

    #[test]
    fn unknown_fields() {
        let (_folder, server) = start();
        assert_eq!(server.session(UNKNOWN_FIELDS)["geometry_model"], "v9");
    }

    #[test]
    fn old_style() {
        let (_folder, server) = start();
        let session = server.session(OLD_STYLE);
        assert_eq!(session["status"], "preview_done");
        assert_eq!(session["session_status"], Value::Null);
    }

    fn download(server: &Server, code: &str) -> Response {
        server.get(&format!("/files/{code}/preview.glb"))
    }

    #[test]
    fn result_expired() {
        let (_folder, server) = start();
        assert_eq!(download(&server, RESULT_EXPIRED).status, 403);
    }

    #[test]
    fn result_no_cors() {
        let (_folder, server) = start();
        let file = download(&server, RESULT_NO_CORS);
        assert_eq!(file.status, 200);
        assert!(!file.head.contains("access-control"), "{}", file.head);
    }

    #[test]
    fn result_trickle() {
        let (_folder, server) = start();
        let start = Instant::now();
        let file = download(&server, RESULT_TRICKLE);
        assert!(file.body.starts_with(b"glTF"));
        assert!(start.elapsed() >= Duration::from_secs(2));
    }
}

/// Sends a GET request with a client's key.
fn get_with_key(server: &Server, path: &str, key: &str) -> Response {
    let host = &server.host;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n"
    );
    exchange(host, request.as_bytes()).unwrap()
}

fn start_with_clients() -> (Folder, Server) {
    let folder = Folder::with_data();
    folder.write_config("clients_file = \"clients\"\n");
    let server = folder.start_server_with_data(&["--config", "config.toml"]);
    (folder, server)
}

#[test]
fn clients_see_their_stored_sessions() {
    let (_folder, server) = start_with_clients();
    let codes = |key: &str| -> Vec<String> {
        let list = get_with_key(&server, SESSIONS, key).json();
        let sessions = list["data"]["results"].as_array().unwrap();
        sessions.iter().map(session_code).collect()
    };
    let (shop, app) = (codes(SHOP), codes(APP));
    assert_eq!((shop.len(), app.len()), (4, 3));
    assert!(shop.contains(&OF_CLIENT.to_owned()));
    assert!(!app.contains(&OF_CLIENT.to_owned()));
}

#[test]
fn files_of_clients_keep_their_tickets() {
    let (_folder, server) = start_with_clients();
    let path = format!("{SESSIONS}/{OF_CLIENT}");
    let session = get_with_key(&server, &path, SHOP).json()["data"].take();
    let url = session["preview_mesh_url_glb"].as_str().unwrap();
    let path = url.split_once(&server.host).unwrap().1;
    let (bare, ticket) = path.split_once("?ticket=").unwrap();
    assert_eq!(ticket.len(), 32);
    assert_eq!(server.get(path).status, 200);
    assert_eq!(server.get(bare).status, 404);
}

const ENTRIES: TableDefinition<&str, &[u8]> = TableDefinition::new("entries");

/// Changes the day of the stored usage, which applies to one day only, to today.
fn move_usage_to_today(folder: &Folder) {
    let database = Database::open(folder.database()).unwrap();
    let reading = database.begin_read().unwrap();
    let entries = reading.open_table(ENTRIES).unwrap();
    let entry = entries.get("spent").unwrap().unwrap();
    let mut usage: Value = serde_json::from_slice(entry.value()).unwrap();
    assert_eq!(usage["day"], 19_922);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    usage["day"] = (now.as_secs() / (24 * 60 * 60)).into();
    let writing = database.begin_write().unwrap();
    let mut entries = writing.open_table(ENTRIES).unwrap();
    let bytes = usage.to_string();
    entries.insert("spent", bytes.as_bytes()).unwrap();
    drop(entries);
    writing.commit().unwrap();
}

/// Creates a session with a paid engine. Returns the status.
fn create_paid(server: &Server, key: &str) -> u16 {
    let mut body = create_body(&solid_png(1));
    body["engine"] = json!("meshy");
    let headers = format!("x-api-key: {key}\r\n");
    server.post(SESSIONS, &headers, &body).unwrap().status
}

/// Opens the data as on the day on which the client `app` used three models and `shop` one.
fn start_on_day_of_usage(flags: &[&str]) -> (Folder, Server) {
    let folder = Folder::with_data();
    folder.write_config(
        "clients_file = \"clients\"\n[engines.meshy]\nurl = \"http://127.0.0.1:9\"\n",
    );
    move_usage_to_today(&folder);
    let flags = [&["--config", "config.toml"], flags].concat();
    let server = folder.start_server_with_data(&flags);
    (folder, server)
}

#[test]
fn daily_usage_counts_towards_the_limit_of_all() {
    let (_folder, server) = start_on_day_of_usage(&["--daily-limit", "5"]);
    assert_eq!(create_paid(&server, SHOP), 201);
    assert_eq!(create_paid(&server, SHOP), 402);
}

#[test]
fn daily_usage_counts_towards_the_limit_of_each() {
    let (_folder, server) = start_on_day_of_usage(&["--daily-limit-each", "2"]);
    assert_eq!(create_paid(&server, APP), 402);
    assert_eq!(create_paid(&server, SHOP), 201);
    assert_eq!(create_paid(&server, SHOP), 402);
}

#[test]
fn daily_usage_is_in_the_metrics() {
    let (_folder, server) = start_on_day_of_usage(&[]);
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    assert!(
        metrics.contains("\nimage_to_3d_paid_today 4\n"),
        "{metrics}"
    );
}
