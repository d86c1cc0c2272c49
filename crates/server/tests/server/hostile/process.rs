//! How the process ends.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;

/// A container's first process ignores the signals that it does not handle.
#[test]
fn sigterm_ends_the_server_as_the_first_process_of_a_container() {
    let program = env!("CARGO_BIN_EXE_csm-image-to-3d-server");
    let namespace = [
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
    ];
    let can_create = Command::new("unshare")
        .args(namespace)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !can_create.is_ok_and(|status| status.success()) {
        println!("skipped: this machine creates no PID namespaces");
        return;
    }
    let child = Command::new("unshare")
        .args(namespace)
        .args([program, "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Server::from_child(child);
    let children = format!("/proc/{0}/task/{0}/children", server.child.id());
    let first = std::fs::read_to_string(children).unwrap();
    let sent = Command::new("kill").args(["-TERM", first.trim()]).status();
    assert!(sent.unwrap().success());
    wait_until(|| !Path::new(&format!("/proc/{}", first.trim())).exists());
    let status = server.child.wait().unwrap();
    assert!(status.success(), "{status}");
}
