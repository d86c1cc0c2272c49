//! Paths that lead out of the folder of `--site`, or out of the files of a session.

use std::fs;

use crate::support::*;

/// The content of a file beside the site's folder.
const OUTSIDE: &str = "outside of the site";

/// Requests a path of a server with a site and a session, and checks that no file is returned.
/// `{outside}` is replaced with the absolute path of a file outside of the site, `{code}` with the
/// code of the session.
fn assert_not_found(path: &str) {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    fs::create_dir_all(site.join("samples")).unwrap();
    fs::write(site.join("index.html"), "<title>Hello</title>").unwrap();
    let outside = folder.path().join("outside.txt");
    fs::write(&outside, OUTSIDE).unwrap();
    let server = Server::start(&["--site", site.to_str().unwrap()]);
    assert_eq!(server.get("/").status, 200);
    let created = server.post(SESSIONS, "", &create_body(&solid_png(1)));
    let code = session_code(&created.unwrap().json()["data"]);
    let path = path.replace("{outside}", outside.to_str().unwrap());
    let response = server.get(&path.replace("{code}", &code));
    assert_eq!(response.status, 404, "{path}");
    let body = String::from_utf8_lossy(&response.body);
    assert!(!body.contains(OUTSIDE), "{body}");
}

cases! {
    assert_not_found:
    parent: "/../outside.txt";
    parent_of_a_subfolder: "/samples/../../outside.txt";
    encoded_dots: "/%2e%2e/outside.txt";
    partly_encoded_dots: "/.%2e/outside.txt";
    encoded_slash: "/..%2foutside.txt";
    encoded_dots_and_slash: "/%2e%2e%2foutside.txt";
    doubly_encoded_dots: "/%252e%252e/outside.txt";
    dots_that_remain_after_a_removal: "/....//outside.txt";
    backslash: "/..\\outside.txt";
    encoded_backslash: "/..%5coutside.txt";
    parameter_behind_the_dots: "/..;/outside.txt";
    absolute_path: "/{outside}";
    encoded_absolute_path: "/%2f{outside}";
    null_byte: "/index.html%00.txt";
    file_url: "/file://{outside}";
    parent_of_the_files: "/files/../outside.txt";
    parent_of_a_session: "/files/{code}/../../outside.txt";
    encoded_parent_of_a_session: "/files/{code}/%2e%2e%2f%2e%2e%2foutside.txt";
    absolute_path_in_a_session: "/files/{code}/{outside}";
}
