//! The file of the client keys is read again while the server runs.

use super::harness::{APP, Folder, SHOP, get, key_header, send};
use crate::support::{CANARY, SESSIONS, Server, create_body, solid_png, wait_until};

const NEW: &str = "new-key-Zq88canary7d1f93";

fn status(server: &Server, key: &str) -> u16 {
    get(server, SESSIONS, &key_header(key)).status
}

#[test]
fn replaced_key_is_valid_without_a_restart() {
    let folder = Folder::new("");
    let mut server = folder.start_server(&[]);
    let body = create_body(&solid_png(1));
    assert_eq!(
        send(&server, "POST", SESSIONS, &key_header(SHOP), &body).status,
        201
    );
    folder.write("clients", &format!("shop {NEW}\napp {APP}\n"));
    wait_until(|| status(&server, NEW) == 200);
    assert_eq!(status(&server, SHOP), 401);
    assert_eq!(status(&server, APP), 200);
    let list = get(&server, SESSIONS, &key_header(NEW)).json();
    assert_eq!(list["data"]["results"].as_array().unwrap().len(), 1);
    let log = server.kill_and_read_stderr();
    assert!(
        log.contains("The client keys have changed: 2 clients"),
        "{log}"
    );
    assert!(!log.contains(CANARY), "{log}");
}

#[test]
fn invalid_file_keeps_the_keys_and_is_reported_once() {
    let folder = Folder::new("");
    let mut server = folder.start_server(&[]);
    folder.write("clients", &format!("shop {NEW} more\n"));
    // Readable by others, which is another error.
    let (clients, message) = (folder.path("clients"), "is accessible to other users");
    folder.set_mode(&clients, 0o644);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(status(&server, SHOP), 200);
    folder.set_mode(&clients, 0o600);
    folder.write("clients", &format!("shop {NEW}\n"));
    wait_until(|| status(&server, NEW) == 200);
    assert_eq!(status(&server, APP), 401);
    let log = server.kill_and_read_stderr();
    assert_eq!(log.matches(message).count(), 1, "{log}");
    assert!(log.contains("the previous client keys stay valid"), "{log}");
    assert!(!log.contains(CANARY), "{log}");
}
