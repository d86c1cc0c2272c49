//! Users of a client: `--client-header` lets the only client, a proxy, say for whom it sends a request.

use serde_json::{Value, json};

use super::harness::{APP, Folder, SHOP, get, key_header, send, startup_error};
use crate::support::{SESSIONS, Server, create_body, session_code, solid_png};

const HEADER: &str = "client_header = \"X-User-Id\"\n";
const MEEK: &str = "[engines.meshy]\nurl = \"http://127.0.0.1:9\"\npoll = 60\n";

fn headers(key: &str, user: &str) -> String {
    format!("{}x-user-id: {user}\r\n", key_header(key))
}

/// Creates a session with these headers. Returns the status, and the code or null.
fn create(server: &Server, headers: &str, engine: &str) -> (u16, Value) {
    let mut body = create_body(&solid_png(1));
    body["engine"] = json!(engine);
    let response = send(server, "POST", SESSIONS, headers, &body);
    (
        response.status,
        response.json()["data"]["session_code"].take(),
    )
}

fn count(server: &Server, headers: &str) -> usize {
    let list = get(server, SESSIONS, headers).json();
    list["data"]["results"].as_array().unwrap().len()
}

#[test]
fn user_sees_only_its_own_sessions() {
    let server = Folder::new(HEADER).start_server(&["--log"]);
    let created = create(&server, &headers(SHOP, "alice"), "sculpt");
    assert_eq!(created.0, 201);
    let code = created.1.as_str().unwrap();
    assert_eq!(count(&server, &headers(SHOP, "alice")), 1);
    for other in [
        headers(SHOP, "bob"),
        headers(APP, "alice"),
        key_header(SHOP),
    ] {
        assert_eq!(count(&server, &other), 0, "{other}");
        for method in ["GET", "DELETE"] {
            let path = format!("{SESSIONS}/{code}");
            assert_eq!(
                send(&server, method, &path, &other, &Value::Null).status,
                404
            );
        }
    }
    let mut server = server;
    let log = server.kill_and_read_stderr();
    assert!(
        log.contains(&format!("POST {SESSIONS} 201 shop/alice")),
        "{log}"
    );
}

/// Addresses are personal data. A subscriber with IPv6 has a whole network of them.
#[test]
fn address_of_a_user_is_neither_stored_nor_logged() {
    let folder = Folder::new(HEADER);
    let data = tempfile::tempdir().unwrap();
    let flags = ["--log", "--data", data.path().to_str().unwrap()];
    let mut server = folder.start_server(&flags);
    let address = headers(SHOP, "203.0.113.77");
    let network = headers(SHOP, "2001:db8:7:9::1");
    for user in [&address, &network] {
        assert_eq!(create(&server, user, "sculpt").0, 201);
        assert_eq!(count(&server, user), 1);
    }
    for (other, sessions) in [
        ("::ffff:203.0.113.77", 1),
        ("203.0.113.78", 0),
        ("2001:db8:7:9:ffff::5", 1),
        ("2001:0db8:0007:000a::1", 0),
    ] {
        assert_eq!(count(&server, &headers(SHOP, other)), sessions, "{other}");
    }
    let log = server.kill_and_read_stderr();
    assert!(log.contains(" 201 shop/ip-"), "{log}");
    let stored = std::fs::read(data.path().join("sessions.redb")).unwrap();
    for text in ["203.0.113", "2001:"] {
        assert!(!log.contains(text), "{log}");
        let mut windows = stored.windows(text.len());
        assert!(!windows.any(|window| window == text.as_bytes()), "{text}");
    }

    // The names last as long as the sessions.
    let server = folder.start_server(&flags);
    assert_eq!(count(&server, &address), 1);
}

#[test]
fn user_has_its_own_queue_and_daily_limit() {
    let folder = Folder::new(&format!("{HEADER}{MEEK}"));
    let flags = [
        "--queue-each",
        "2",
        "--daily-limit-each",
        "1",
        "--speed",
        "0.05",
    ];
    let server = folder.start_server(&flags);
    let (alice, bob) = (headers(SHOP, "alice"), headers(SHOP, "bob"));
    assert_eq!(create(&server, &alice, "meshy").0, 201);
    assert_eq!(create(&server, &alice, "meshy").0, 402);
    assert_eq!(create(&server, &alice, "sculpt").0, 201);
    assert_eq!(create(&server, &alice, "sculpt").0, 429);
    assert_eq!(create(&server, &bob, "meshy").0, 201);
    assert_eq!(create(&server, &key_header(SHOP), "meshy").0, 201);
    let metrics = String::from_utf8(get(&server, "/metrics", "").body).unwrap();
    // Users are not listed: there may be any number of them.
    for line in [
        r#"client_sessions_total{client="shop"} 4"#,
        r#"client_sessions_total{client="app"} 0"#,
        r#"client_paid_today{client="shop"} 3"#,
        r#"client_paid_today{client="app"} 0"#,
    ] {
        assert!(
            metrics.contains(&format!("\nimage_to_3d_{line}\n")),
            "{line}: {metrics}"
        );
    }
    assert!(!metrics.contains("alice"), "{metrics}");
}

#[test]
fn idempotency_keys_of_users_are_separate() {
    let server = Folder::new(HEADER).start_server(&[]);
    let codes = ["alice", "bob"].map(|user| {
        let headers = format!("{}idempotency-key: once\r\n", headers(SHOP, user));
        let response = send(
            &server,
            "POST",
            SESSIONS,
            &headers,
            &create_body(&solid_png(1)),
        );
        session_code(&response.json()["data"])
    });
    assert_ne!(codes[0], codes[1]);
}

#[test]
fn invalid_user_is_rejected() {
    let server = Folder::new(HEADER).start_server(&[]);
    let long = "a".repeat(129);
    for user in ["", "a b", "ä", &long, "alice\r\nx-user-id: bob"] {
        let response = get(&server, SESSIONS, &headers(SHOP, user));
        assert_eq!(response.status, 400, "{user}");
        let message = response.message();
        assert!(message.starts_with("Invalid x-user-id "), "{message}");
    }
    // A user without the key of the client stays a stranger.
    assert_eq!(get(&server, SESSIONS, "x-user-id: alice\r\n").status, 401);
}

#[test]
fn header_is_ignored_by_default() {
    let server = Folder::new("").start_server(&[]);
    assert_eq!(create(&server, &headers(SHOP, "alice"), "sculpt").0, 201);
    assert_eq!(count(&server, &key_header(SHOP)), 1);
}

#[test]
fn users_need_a_client_with_a_key() {
    let error = startup_error(&["--client-header", "x-user-id"]);
    assert!(
        error.contains("--client-header requires client keys"),
        "{error}"
    );
}

#[test]
fn header_must_not_hold_a_secret() {
    for name in ["X-Api-Key", "cookie", "a b", ""] {
        let folder = Folder::new(&format!("client_header = {name:?}\n"));
        let error = startup_error(&["--config", &folder.config()]);
        let expected = format!("Invalid client_header \"{name}\": expected the name of a header");
        assert!(error.contains(&expected), "{error}");
    }
}

/// Otherwise a client could see the sessions of a user of another client.
#[test]
fn client_name_with_a_slash_is_rejected() {
    let folder = Folder::new(HEADER);
    folder.write("clients", &format!("shop/alice {SHOP}\n"));
    let error = startup_error(&["--config", &folder.config()]);
    assert!(
        error.contains("the name shop/alice must not contain /"),
        "{error}"
    );
}
