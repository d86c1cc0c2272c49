//! The lines of `--log`: who sent a request, and its id.

use super::harness::{get, send};
use crate::support::{Response, SESSIONS, Server};

fn request_id(response: &Response) -> &str {
    let mut lines = response.head.lines();
    let id = lines.find_map(|line| line.strip_prefix("x-request-id: "));
    id.unwrap_or_else(|| panic!("{}", response.head))
}

#[test]
fn line_has_the_address_of_the_peer_and_the_id_of_the_response() {
    let mut server = Server::start(&["--log"]);
    let ids = [SESSIONS, "/nothing"].map(|path| {
        let headers = "x-forwarded-for: 203.0.113.7\r\nx-request-id: chosen\r\n";
        request_id(&get(&server, path, headers)).to_owned()
    });
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 16);
    assert!(
        ids.iter()
            .all(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
    let preflight = send(&server, "OPTIONS", SESSIONS, "", &serde_json::Value::Null);
    request_id(&preflight);
    request_id(&server.get("/health"));
    let log = server.kill_and_read_stderr();
    for id in ids {
        assert!(log.contains(&format!(" ms 127.0.0.1 {id}\n")), "{log}");
    }
    assert!(
        !log.contains("203.0.113.7") && !log.contains("chosen"),
        "{log}"
    );
}

#[test]
fn trusted_proxy_names_the_address_and_the_id() {
    let mut server = Server::start(&["--log", "--trust-proxy"]);
    let mut lines = Vec::new();
    for (headers, expected) in [
        (
            "x-forwarded-for: 198.51.100.1, 203.0.113.7\r\n",
            "203.0.113.7",
        ),
        ("x-forwarded-for: 203.0.113.8:4711\r\n", "203.0.113.8"),
        (
            "forwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n",
            "2001:db8::1",
        ),
        ("x-forwarded-for: unknown\r\n", "127.0.0.1"),
        ("", "127.0.0.1"),
    ] {
        let id = format!("id-{}", headers.len());
        let response = get(
            &server,
            SESSIONS,
            &format!("{headers}x-request-id: {id}\r\n"),
        );
        assert_eq!(request_id(&response), id);
        lines.push(format!(" ms {expected} {id}\n"));
    }
    for invalid in ["", "a b", &"a".repeat(129)] {
        let response = get(&server, SESSIONS, &format!("x-request-id: {invalid}\r\n"));
        assert_eq!(request_id(&response).len(), 16, "{invalid}");
    }
    let log = server.kill_and_read_stderr();
    for line in lines {
        assert!(log.contains(&line), "{line}: {log}");
    }
}

/// Behind a proxy, every peer is on this machine.
#[test]
fn metrics_are_hidden_from_callers_of_a_trusted_proxy() {
    let server = Server::start(&["--trust-proxy"]);
    let remote = get(&server, "/metrics", "x-forwarded-for: 203.0.113.7\r\n");
    assert_eq!(remote.status, 404);
    assert_eq!(get(&server, "/metrics", "").status, 200);
}
