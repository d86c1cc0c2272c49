//! The limits of each client: its part of the queue and of the paid models per day.

use serde_json::json;

use super::harness::{APP, Folder, SHOP, get, key_header, send};
use crate::support::{SESSIONS, Server, create_body, solid_png};

#[test]
fn client_cannot_fill_the_queue_of_others() {
    let folder = Folder::new("");
    let server = folder.start_server(&["--queue", "5", "--queue-each", "2", "--speed", "0.05"]);
    let create = |key: &str, number| {
        let body = create_body(&solid_png(number));
        send(&server, "POST", SESSIONS, &key_header(key), &body).status
    };
    assert_eq!(create(SHOP, 1), 201);
    assert_eq!(create(SHOP, 2), 201);
    assert_eq!(create(SHOP, 3), 429);
    assert_eq!(create(APP, 4), 201);
}

/// Creates a session with this engine. Returns the status and the message.
fn create(server: &Server, key: &str, engine: &str) -> (u16, String) {
    let mut body = create_body(&solid_png(1));
    body["engine"] = json!(engine);
    let response = send(server, "POST", SESSIONS, &key_header(key), &body);
    (response.status, response.message())
}

#[test]
fn paid_models_have_a_daily_limit_that_survives_a_restart() {
    // Nothing listens there: a session counts towards the limit when it is accepted.
    let folder = Folder::new("[engines.meshy]\nurl = \"http://127.0.0.1:9\"\npoll = 60\n");
    let data = folder.path("data");
    let flags = [
        "--daily-limit",
        "3",
        "--daily-limit-each",
        "2",
        "--data",
        data.to_str().unwrap(),
    ];
    let server = folder.start_server(&flags);
    assert_eq!(create(&server, SHOP, "meshy").0, 201);
    assert_eq!(create(&server, SHOP, "meshy").0, 201);
    let (status, message) = create(&server, SHOP, "meshy");
    assert_eq!(status, 402);
    assert_eq!(
        message,
        "The daily limit of 2 paid models for this key is reached. It resets at 00:00 UTC."
    );
    // Neither engines without cost nor other clients are affected.
    assert_eq!(create(&server, SHOP, "sculpt").0, 201);
    assert_eq!(create(&server, APP, "meshy").0, 201);
    drop(server);

    let server = folder.start_server(&flags);
    let (status, message) = create(&server, APP, "meshy");
    assert_eq!(status, 402);
    assert_eq!(
        message,
        "The daily limit of 3 paid models for this server is reached. It resets at 00:00 UTC."
    );
    let metrics = String::from_utf8(get(&server, "/metrics", "").body).unwrap();
    assert!(
        metrics.contains("\nimage_to_3d_paid_today 3\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("image_to_3d_requests_total{status=\"402\"} 1\n"),
        "{metrics}"
    );
}
