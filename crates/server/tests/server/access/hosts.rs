//! Under which host names the server can be reached. Any other name may belong to an attacker who
//! points it to this machine (DNS rebinding).

use super::harness::{Folder, SHOP, key_header, startup_error};
use crate::support::{Response, SESSIONS, Server, exchange};

fn get(server: &Server, path: &str, host: &str, headers: &str) -> Response {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\n\r\n");
    let request = request.replace("PORT", server.host.rsplit(':').next().unwrap());
    exchange(&server.host, request.as_bytes()).unwrap()
}

#[test]
fn localhost_and_ip_addresses_are_allowed() {
    let server = Server::start(&[]);
    for host in [
        "localhost",
        "LOCALHOST:PORT",
        "127.0.0.1:PORT",
        "192.168.1.7",
        "[::1]:PORT",
    ] {
        assert_eq!(get(&server, SESSIONS, host, "").status, 200, "{host}");
    }
}

#[test]
fn other_hosts_are_refused_on_all_paths() {
    let site = tempfile::tempdir().unwrap();
    std::fs::write(site.path().join("index.html"), "<title>Hello</title>").unwrap();
    let server = Server::start(&["--site", site.path().to_str().unwrap()]);
    for host in [
        "evil.example",
        "evil.example:PORT",
        "127.0.0.1.evil.example",
    ] {
        for path in [
            SESSIONS,
            "/metrics",
            "/health",
            "/",
            "/config.js",
            "/files/a/image",
        ] {
            let origin = "origin: http://evil.example:PORT\r\n";
            for headers in ["", origin] {
                let response = get(&server, path, host, headers);
                assert_eq!(response.status, 421, "{path}");
                let name = host.trim_end_matches(":PORT");
                let message = format!(
                    "Requests for the host {name} are not allowed. Start the server with \
                     --host-name {name}"
                );
                assert_eq!(response.message(), message);
            }
        }
    }
}

#[test]
fn host_of_an_absolute_url_is_checked() {
    let server = Server::start(&[]);
    let path = format!("http://evil.example{SESSIONS}");
    assert_eq!(get(&server, &path, "localhost", "").status, 421);
}

#[test]
fn listed_host_names_are_allowed() {
    let folder = Folder::without_clients("host_names = [\"a.example\"]\n");
    let server = folder.start_server(&["--host-name", "B.Example"]);
    for host in ["a.example", "b.example:PORT"] {
        let origin = format!("origin: http://{host}\r\n");
        assert_eq!(get(&server, SESSIONS, host, &origin).status, 200, "{host}");
    }
    assert_eq!(get(&server, SESSIONS, "c.example", "").status, 421);
}

/// A page of a rebound name has no client key.
#[test]
fn all_hosts_are_allowed_with_client_keys() {
    let server = Folder::new("").start_server(&[]);
    assert_eq!(
        get(&server, SESSIONS, "a.example", &key_header(SHOP)).status,
        200
    );
    assert_eq!(get(&server, SESSIONS, "a.example", "").status, 401);
}

#[test]
fn invalid_host_name_is_a_startup_error() {
    let expected = "expected a name such as \"models.example\", without scheme and port";
    for name in ["http://a.example", "a.example:80", ""] {
        let error = startup_error(&["--host-name", name]);
        assert!(error.contains(expected), "{error}");
    }
}
