//! The description of the API: that it is served, that it is complete, and that the check of all other tests
//! notices what it lacks.

use serde_json::{Value, json};

use crate::support::openapi::{Description, document};
use crate::support::{
    SESSIONS, Server, create_body, exchange, get, post, repository_file, session_code, solid_png,
};

#[test]
fn serves_the_document_to_pages_of_all_origins() {
    let server = Server::start(&[]);
    let request = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\norigin: https://shop.example\r\nconnection: close\r\n\r\n";
    let response = exchange(&server.host, request.as_bytes()).unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_eq!(response.json(), document());
}

#[test]
fn serves_the_page_without_other_origins() {
    let server = Server::start(&[]);
    for (path, target) in [
        ("/docs", "docs/api/"),
        ("/docs/", "api/"),
        ("/docs/api", "api/"),
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let response = exchange(&server.host, request.as_bytes()).unwrap();
        assert_eq!(response.status, 307, "{path}");
        assert_eq!(response.header("location"), Some(target), "{path}");
    }
    let page = server.get("/docs/api/");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    let html = String::from_utf8(page.body).unwrap();
    for forbidden in [
        "<script",
        "<style",
        "style=\"",
        "src=\"",
        "href=\"http",
        "href=\"//",
    ] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let style = server.get("/docs/api/style.css");
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert!(!String::from_utf8(style.body).unwrap().contains("url("));
}

#[test]
fn the_page_links_to_what_exists() {
    let html = repository_file("crates/server/docs/index.html");
    let targets = html.split("href=\"#").skip(1);
    for target in targets.filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!("id=\"{target}\"")), "{target}");
    }
}

#[test]
fn every_described_operation_exists() {
    let server = Server::start(&[]);
    let body = create_body(&solid_png(1));
    let created = server.post(SESSIONS, "", &body).unwrap();
    let code = session_code(&created.json()["data"]);
    let document = document();
    let mut operations = 0;
    for (template, item) in document["paths"].as_object().unwrap() {
        let path = template
            .replace("{session_code}", &code)
            .replace("{name}", "image");
        // A deleted session has no other operations.
        for method in ["post", "head", "get", "delete"] {
            if item.get(method).is_none() {
                continue;
            }
            operations += 1;
            let method = method.to_uppercase();
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
            let text = read(&server, request.as_bytes());
            assert!(
                !text.contains("No such endpoint"),
                "{method} {path}: {text}"
            );
            if method == "DELETE" {
                return assert!(operations > 3);
            }
        }
    }
}

fn read(server: &Server, request: &[u8]) -> String {
    use std::io::{Read, Write};
    let mut stream = server.connect();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Checks the poll of a new session against a document from which something is removed.
fn check_without(remove: impl Fn(&mut Value)) -> Result<(), String> {
    let server = Server::start(&[]);
    let body = create_body(&solid_png(2));
    let created = server.post(SESSIONS, "", &body).unwrap();
    let code = session_code(&created.json()["data"]);
    let path = format!("{SESSIONS}/{code}");
    let mut changed = document();
    remove(&mut changed);
    let description = Description::new(&changed);
    let post = post(SESSIONS, "", body.to_string().as_bytes());
    description.check(&post, &created)?;
    description.check(&get(&path), &server.get(&path))
}

#[test]
fn the_check_accepts_what_is_described() {
    check_without(|_| {}).unwrap();
}

#[test]
fn the_check_rejects_what_is_not_described() {
    let session = "/components/schemas/Session/properties";
    let create = "/components/schemas/CreateSession/properties";
    let paths = "/paths";
    let responses = "/paths/~1image-to-3d-sessions~1{session_code}/get/responses";
    for (parent, name) in [
        (session, "engine"),
        (create, "cutout"),
        (paths, "/image-to-3d-sessions"),
        (responses, "200"),
    ] {
        let checked = check_without(|document| {
            let parent = document
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap();
            parent.remove(name).unwrap();
        });
        assert!(checked.is_err(), "{parent} without {name}");
    }
}

#[test]
fn marks_the_extensions() {
    let document = document();
    let is_extension =
        |pointer: &str| document.pointer(pointer).unwrap()["x-extension"] == json!(true);
    let schemas = "/components/schemas";
    for extension in [
        format!("{schemas}/CreateSession/properties/engine"),
        format!("{schemas}/CreateSession/properties/cutout"),
        format!("{schemas}/Session/properties/mesh_url_stl"),
        format!("{schemas}/ErrorResponse/properties/code"),
        "/paths/~1image-to-3d-sessions~1{session_code}/delete".into(),
        "/paths/~1health/get".into(),
        "/components/parameters/IdempotencyKey".into(),
    ] {
        assert!(is_extension(&extension), "{extension}");
    }
    assert!(!is_extension(&format!(
        "{schemas}/Session/properties/status"
    )));
    assert!(!is_extension("/paths/~1image-to-3d-sessions/post"));
}
