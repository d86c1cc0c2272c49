//! Clients with keys: each sees its own sessions, and the log names it without its key.

use serde_json::{Value, json};

use super::harness::{APP, Folder, SHOP, get, key_header, send, wait_until_complete};
use crate::support::{CANARY, SESSIONS, create_body, session_code, solid_png};

/// Checks that a create with these headers is rejected.
fn assert_unauthorized(headers: &str, expected: &str) {
    let server = Folder::new("").start_server(&[]);
    let response = send(
        &server,
        "POST",
        SESSIONS,
        headers,
        &create_body(&solid_png(1)),
    );
    assert_eq!(response.status, 401);
    assert_eq!(response.message(), expected);
}

#[test]
fn request_without_a_key_is_rejected() {
    assert_unauthorized("", "Missing x-api-key: expected an API key of this server");
}

#[test]
fn unknown_key_is_rejected() {
    assert_unauthorized(&key_header("guess"), "x-api-key: unknown API key");
}

#[test]
fn fault_key_is_rejected() {
    assert_unauthorized(&key_header("fault_500"), "x-api-key: unknown API key");
}

#[test]
fn sessions_of_other_clients_are_hidden() {
    let folder = Folder::new("");
    let server = folder.start_server(&[]);
    let body = create_body(&solid_png(1));
    let created = send(&server, "POST", SESSIONS, &key_header(SHOP), &body);
    let code = session_code(&created.json()["data"]);
    wait_until_complete(&server, SHOP, &code);
    // 404 rather than 403: even the existence is hidden.
    for (method, path) in [
        ("GET", format!("{SESSIONS}/{code}")),
        ("POST", format!("{SESSIONS}/get-3d/refine/{code}")),
    ] {
        let response = send(&server, method, &path, &key_header(APP), &Value::Null);
        assert_eq!(response.status, 404, "{path}");
    }
    let count = |key: &str| {
        let list = get(&server, SESSIONS, &key_header(key)).json();
        list["data"]["results"].as_array().unwrap().len()
    };
    assert_eq!((count(SHOP), count(APP)), (1, 0));
}

#[test]
fn request_log_is_hidden_from_clients() {
    let server = Folder::new("").start_server(&[]);
    let response = get(&server, "/sandbox/requests", &key_header(SHOP));
    assert_eq!(response.status, 404);
}

#[test]
fn files_need_the_ticket_of_their_url_instead_of_a_key() {
    let folder = Folder::new("");
    let server = folder.start_server(&[]);
    let body = create_body(&solid_png(1));
    let created = send(&server, "POST", SESSIONS, &key_header(SHOP), &body);
    let session = wait_until_complete(&server, SHOP, &session_code(&created.json()["data"]));
    let url = session["preview_mesh_url_glb"].as_str().unwrap();
    let path = url.split_once(&server.host).unwrap().1;
    assert_eq!(get(&server, path, "").status, 200);
    let (bare, ticket) = path.split_once("?ticket=").unwrap();
    assert_eq!(ticket.len(), 32);
    for wrong in [
        bare.to_owned(),
        format!("{bare}?ticket="),
        format!("{bare}?ticket={}", "0".repeat(32)),
    ] {
        let response = get(&server, &wrong, &key_header(SHOP));
        assert_eq!(response.status, 404, "{wrong}");
    }
}

#[test]
fn spin_is_selected_by_its_url_with_a_ticket() {
    let folder = Folder::new("");
    let server = folder.start_server(&["--speed", "50"]);
    let mut turbo = create_body(&solid_png(1));
    turbo["preview_mesh"] = json!("turbo");
    let created = send(&server, "POST", SESSIONS, &key_header(SHOP), &turbo).json();
    let code = session_code(&created["data"]);
    let path = format!("{SESSIONS}/{code}");
    let spins = loop {
        let session = get(&server, &path, &key_header(SHOP)).json();
        if let Some(spins) = session["data"]["spins"].as_array() {
            break spins.clone();
        }
    };
    let body = json!({"selected_spin": spins[2]["image_url"]});
    let path = format!("{SESSIONS}/get-3d/preview/{code}");
    let response = send(&server, "POST", &path, &key_header(SHOP), &body);
    assert_eq!(response.status, 200);
}

#[test]
fn log_has_no_keys_images_or_tickets() {
    let folder = Folder::new("");
    let mut server = folder.start_server(&["--log"]);
    let body = create_body(&solid_png(1));
    let created = send(&server, "POST", SESSIONS, &key_header(SHOP), &body);
    let session = wait_until_complete(&server, SHOP, &session_code(&created.json()["data"]));
    let url = session["preview_mesh_url_glb"].as_str().unwrap();
    let path = url.split_once(&server.host).unwrap().1;
    get(&server, path, &key_header(APP));
    let query = format!("{SESSIONS}?key={SHOP}");
    get(&server, &query, &key_header("guess-Zq87canary7d1f93"));
    let log = server.kill_and_read_stderr();
    for line in [
        format!("POST {SESSIONS} 201 shop"),
        "/preview.glb 200 app".to_owned(),
        format!("GET {SESSIONS} 401 -"),
    ] {
        assert!(log.contains(&line), "{line}: {log}");
    }
    for secret in [CANARY, "ticket", "base64", "iVBOR"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
