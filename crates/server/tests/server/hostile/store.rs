//! Data folders that were damaged, or cannot be used.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::*;

const DAMAGED: &str = "The stored sessions are damaged (";

/// Returns an image file of some 40 kB: as large as a small photo.
fn noisy_png(random: &mut fastrand::Rng) -> Vec<u8> {
    let image = image::RgbImage::from_fn(120, 120, |_, _| {
        image::Rgb([random.u8(..), random.u8(..), random.u8(..)])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

/// Creates a data folder with this number of complete sessions, whose models are small, so that the records
/// and indexes are a considerable part of the file.
fn folder_with_sessions(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut server = Server::start(&["--speed", "1000", "--data", data]);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..count {
        let mut body = create_body(&noisy_png(&mut random));
        body["resolution"] = "low_poly".into();
        let created = server.post(SESSIONS, "", &body);
        assert_eq!(created.unwrap().status, 201);
    }
    for session in server.sessions() {
        server.wait_for_end(&session_code(&session));
    }
    server.stop(Signal::Terminate);
    folder
}

/// Writes the file of an otherwise empty data folder.
fn folder_with_file(content: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sessions.redb"), content).unwrap();
    folder
}

/// Waits until the server listens, and kills it. Returns what it prints if it does not start.
fn try_start(command: &mut Command, folder: &Path) -> Result<(), String> {
    let mut child = command
        .args(["--port", "0", "--data", folder.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A server that does not start closes its standard output.
    let mut first = [0];
    if child.stdout.as_mut().unwrap().read(&mut first).unwrap() == 1 {
        child.kill().unwrap();
        child.wait().unwrap();
        return Ok(());
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    Err(String::from_utf8(output.stderr).unwrap())
}

/// Returns what a server with this data folder prints when it does not start.
fn startup_error(folder: &Path) -> String {
    try_start(&mut command(), folder).expect_err("the server started")
}

/// Checks that the file is rejected with this text, and not changed.
fn assert_file_is_rejected(folder: &tempfile::TempDir, expected: &str) {
    let file = folder.path().join("sessions.redb");
    let before = fs::read(&file).unwrap();
    let error = startup_error(folder.path());
    let cannot_open = format!("error: Cannot open {}: ", file.display());
    assert!(error.contains(&cannot_open), "{error}");
    assert!(error.contains(expected), "{error}");
    assert!(fs::read(&file).unwrap() == before, "the file was changed");
}

#[test]
fn truncated_file_is_rejected() {
    let folder = folder_with_sessions(1);
    let path = folder.path().join("sessions.redb");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    assert_file_is_rejected(&folder, DAMAGED);
}

#[test]
fn start_of_a_file_is_rejected() {
    let folder = folder_with_sessions(1);
    let path = folder.path().join("sessions.redb");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(100).unwrap();
    assert_file_is_rejected(&folder, "I/O error");
}

#[test]
fn text_file_is_rejected() {
    let folder = folder_with_file(&b"These are no sessions.\n".repeat(1000));
    assert_file_is_rejected(&folder, "Not a redb database");
}

#[test]
fn database_of_another_kind_is_rejected() {
    let content = [b"SQLite format 3\0", &[0; 8192][..]].concat();
    assert_file_is_rejected(&folder_with_file(&content), "Not a redb database");
}

#[test]
fn empty_file_is_a_store_without_sessions() {
    let folder = folder_with_file(b"");
    let server = Server::start(&["--data", folder.path().to_str().unwrap()]);
    assert_eq!(server.sessions(), [Value::Null; 0]);
}

#[test]
fn folder_in_place_of_the_file_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sessions.redb")).unwrap();
    let error = startup_error(folder.path());
    assert!(error.contains("Is a directory"), "{error}");
}

#[test]
fn file_in_place_of_the_folder_is_rejected() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = startup_error(file.path());
    assert!(error.contains("Cannot open"), "{error}");
    assert!(error.contains("File exists"), "{error}");
}

/// Starts a server that cannot write where the modes forbid it, also if root runs the tests. Returns
/// what it prints.
fn startup_error_without_write_access(folder: &Path) -> String {
    let program = env!("CARGO_BIN_EXE_csm-image-to-3d-server");
    let is_root = fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0);
    let mut command = match is_root {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set=-dac_override,-dac_read_search", program]);
            command
        }
        false => Command::new(program),
    };
    try_start(&mut command, folder).expect_err("the server started")
}

#[test]
fn read_only_folder_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let error = startup_error_without_write_access(folder.path());
    assert!(error.contains("Permission denied"), "{error}");
}

#[test]
fn read_only_file_is_rejected() {
    let folder = folder_with_sessions(1);
    let file = folder.path().join("sessions.redb");
    fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let error = startup_error_without_write_access(folder.path());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(error.contains("Permission denied"), "{error}");
}

/// Overwrites 64 KiB at each fortieth of the file, in a copy for each. The server either says that the
/// sessions are damaged, or starts and responds to every request.
#[test]
fn noise_in_the_middle_of_the_file_loses_no_response() {
    let original = folder_with_sessions(20);
    let content = fs::read(original.path().join("sessions.redb")).unwrap();
    let mut noise = vec![0; 64 << 10];
    fastrand::Rng::with_seed(1).fill(&mut noise);
    let (mut started, mut rejected) = (0, 0);
    for part in 1..40 {
        let folder = folder_with_file(&content);
        let file = fs::OpenOptions::new()
            .write(true)
            .open(folder.path().join("sessions.redb"))
            .unwrap();
        let offset = content.len() as u64 * part / 40;
        file.write_all_at(&noise, offset).unwrap();
        if let Err(error) = try_start(&mut command(), folder.path()) {
            assert!(error.contains(DAMAGED), "{error}");
            rejected += 1;
            continue;
        }
        let data = folder.path().to_str().unwrap();
        let server = Server::start(&["--speed", "1000", "--data", data]);
        assert_responds(&server);
        started += 1;
    }
    println!("{started} of 39 servers started, {rejected} rejected the file");
    assert!(started > 0 && rejected > 0);
}

/// Requests everything that is stored, and creates a session.
fn assert_responds(server: &Server) {
    let list = server.get(&format!("{SESSIONS}?limit=100"));
    assert!(matches!(list.status, 200 | 500), "{}", list.status);
    let sessions = match list.status {
        200 => list.json()["data"]["results"].take(),
        _ => Value::Null,
    };
    for session in sessions.as_array().into_iter().flatten() {
        let code = session_code(session);
        for path in [
            format!("{SESSIONS}/{code}"),
            format!("/files/{code}/image"),
            format!("/files/{code}/preview.glb"),
        ] {
            let status = server.get(&path).status;
            assert!(matches!(status, 200 | 404 | 500), "{path}: {status}");
        }
    }
    let created = server.post(SESSIONS, "", &create_body(&solid_png(1)));
    let status = created.expect("no response to a create request").status;
    assert!(matches!(status, 201 | 500), "{status}");
}
