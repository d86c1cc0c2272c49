//! A port that is open to others: who gets in, what each sees, and what is written about them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::*;
use serde_json::{Value, json};

const SHOP: &str = "shop-key-Zq84canary7d1f93";
const APP: &str = "app-key-Zq85canary7d1f93";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(config: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let clients = folder.write("clients", &format!("# callers\nshop {SHOP}\n\napp {APP}\n"));
        folder.set_mode(&clients, 0o600);
        let config = format!("clients_file = {clients:?}\n{config}");
        folder.write("config.toml", &config);
        folder
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn set_mode(&self, path: &std::path::Path, mode: u32) {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn config(&self) -> String {
        self.0
            .path()
            .join("config.toml")
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn server(&self, more: &[&str]) -> Server {
        let config = self.config();
        Server::start(&[&["--config", &config], more].concat())
    }
}

/// A request with these lines in its head.
fn ask(server: &Server, method: &str, path: &str, headers: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let host = &server.host;
    let size = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {size}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    parse(&bytes).expect("a whole answer")
}

fn key(key: &str) -> String {
    format!("x-api-key: {key}\r\n")
}

fn end_of(server: &Server, owner: &str, code: &str) -> Value {
    loop {
        let path = format!("{SESSIONS}/{code}");
        let session = ask(server, "GET", &path, &key(owner), &Value::Null).json()["data"].take();
        if session["session_status"] == "complete" {
            return session;
        }
        assert_ne!(session["session_status"], "failed", "{session}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// What the program says where it does not start.
fn refusal(flags: &[&str]) -> String {
    let output = command()
        .args(["--port", "0"])
        .args(flags)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("canary7d1f93"), "{said}");
    said
}

#[test]
fn without_client_keys_nothing_but_loopback_is_listened_on() {
    for address in ["0.0.0.0", "::", "192.0.2.1"] {
        let said = refusal(&["--bind", address]);
        assert!(said.contains("needs client keys"), "{said}");
    }
    let server = Server::start(&["--bind", "127.0.0.2"]);
    assert!(server.host.starts_with("127.0.0.2:"));
    // With them, all addresses are.
    let folder = Folder::new("");
    let mut server = folder.server(&["--bind", "0.0.0.0"]);
    server.host = server.host.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(ask(&server, "GET", "/health", "", &Value::Null).status, 200);
}

#[test]
fn a_file_with_keys_that_others_can_read_is_refused() {
    let folder = Folder::new("");
    let clients = folder.0.path().join("clients");
    folder.set_mode(&clients, 0o640);
    let said = refusal(&["--config", &folder.config()]);
    assert!(
        said.contains("can be read by others") && said.contains("chmod 600"),
        "{said}"
    );
    folder.set_mode(&clients, 0o600);
    for text in [
        format!("{SHOP}\n"),
        "shop short\n".into(),
        String::new(),
        format!("a {SHOP}\nb {SHOP}\n"),
    ] {
        folder.write("clients", &text);
        refusal(&["--config", &folder.config()]);
    }
    // Nor is a key in the configuration itself, or a field that is not known.
    for (text, words) in [
        ("[engines.fal]\nkey = \"Zq86canary7d1f93\"\n", "`key_file`"),
        (
            "[engines.fal]\nkeys = \"Zq86canary7d1f93\"\n",
            "unknown field",
        ),
        ("daily = 3\n", "unknown field"),
        ("default = \"magic\"\n", "default: came \"magic\""),
        ("default = \"fal\"\n", "[engines.fal]"),
        ("[engines.magic]\n", "there is no engine \"magic\""),
        ("[engines.hunyuan]\nurl = \"ftp://x\"\n", "url: allowed"),
        (
            "[engines.hunyuan]\nurl = \"http://me:Zq86canary7d1f93@x\"\n",
            "url: allowed",
        ),
        ("[engines.hunyuan]\npoll = 0\n", "poll"),
    ] {
        let folder = Folder::new("");
        folder.write("config.toml", text);
        let said = refusal(&["--config", &folder.config()]);
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn each_caller_sees_its_own() {
    let folder = Folder::new("");
    let server = folder.server(&[]);
    let body = body(&png(1));
    for (headers, words) in [
        (String::new(), "x-api-key: missing"),
        (key("guess"), "this key is not known"),
        (key("fault_500"), "this key is not known"),
    ] {
        let refused = ask(&server, "POST", SESSIONS, &headers, &body);
        assert_eq!(refused.status, 401);
        assert!(refused.json()["message"].as_str().unwrap().contains(words));
    }
    let created = ask(&server, "POST", SESSIONS, &key(SHOP), &body);
    let session = end_of(&server, SHOP, &code(&created.json()["data"]));
    let code = code(&session);
    // Not even that it exists is told to others.
    for (method, path) in [
        ("GET", format!("{SESSIONS}/{code}")),
        ("POST", format!("{SESSIONS}/get-3d/refine/{code}")),
    ] {
        assert_eq!(
            ask(&server, method, &path, &key(APP), &Value::Null).status,
            404,
            "{path}"
        );
    }
    let listed = |owner: &str| {
        let listed = ask(&server, "GET", SESSIONS, &key(owner), &Value::Null).json();
        listed["data"]["results"].as_array().unwrap().len()
    };
    assert_eq!((listed(SHOP), listed(APP)), (1, 0));
    assert_eq!(
        ask(
            &server,
            "GET",
            "/sandbox/requests",
            &key(SHOP),
            &Value::Null
        )
        .status,
        404
    );
    // A page shows the model without a key, by an address that nobody guesses.
    let address = session["preview_mesh_url_glb"].as_str().unwrap();
    let path = address.split_once(&server.host).unwrap().1;
    assert_eq!(ask(&server, "GET", path, "", &Value::Null).status, 200);
    let (bare, ticket) = path.split_once("?ticket=").unwrap();
    assert_eq!(ticket.len(), 32);
    for wrong in [
        bare.to_owned(),
        format!("{bare}?ticket="),
        format!("{bare}?ticket={}", "0".repeat(32)),
    ] {
        assert_eq!(
            ask(&server, "GET", &wrong, &key(SHOP), &Value::Null).status,
            404,
            "{wrong}"
        );
    }
}

#[test]
fn a_spin_is_chosen_by_its_address_though_it_has_a_ticket() {
    let folder = Folder::new("");
    let server = folder.server(&["--speed", "50"]);
    let mut turbo = body(&png(1));
    turbo["preview_mesh"] = json!("turbo");
    let created = ask(&server, "POST", SESSIONS, &key(SHOP), &turbo).json();
    let code = code(&created["data"]);
    let path = format!("{SESSIONS}/{code}");
    let spins = loop {
        let session = ask(&server, "GET", &path, &key(SHOP), &Value::Null).json();
        if let Some(spins) = session["data"]["spins"].as_array() {
            break spins.clone();
        }
    };
    let choose = json!({"selected_spin": spins[2]["image_url"]});
    let path = format!("{SESSIONS}/get-3d/preview/{code}");
    assert_eq!(ask(&server, "POST", &path, &key(SHOP), &choose).status, 200);
}

#[test]
fn no_caller_takes_the_others_room() {
    let folder = Folder::new("");
    let server = folder.server(&["--queue", "5", "--queue-each", "2", "--speed", "0.05"]);
    let create =
        |owner: &str, number| ask(&server, "POST", SESSIONS, &key(owner), &body(&png(number)));
    assert_eq!(create(SHOP, 1).status, 201);
    assert_eq!(create(SHOP, 2).status, 201);
    assert_eq!(create(SHOP, 3).status, 429);
    assert_eq!(create(APP, 4).status, 201);
}

#[test]
fn what_costs_money_has_a_daily_limit() {
    // Nobody listens there: what is counted is what was taken on.
    let folder = Folder::new("[engines.meshy]\nurl = \"http://127.0.0.1:9\"\npoll = 60\n");
    let data = folder.0.path().join("data");
    let flags = [
        "--daily-limit",
        "3",
        "--daily-limit-each",
        "2",
        "--data",
        data.to_str().unwrap(),
    ];
    let server = folder.server(&flags);
    let create = |server: &Server, owner: &str, engine: &str| {
        let mut body = body(&png(1));
        body["engine"] = json!(engine);
        let answer = ask(server, "POST", SESSIONS, &key(owner), &body);
        (
            answer.status,
            answer.json()["message"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(create(&server, SHOP, "meshy").0, 201);
    assert_eq!(create(&server, SHOP, "meshy").0, 201);
    let (status, words) = create(&server, SHOP, "meshy");
    assert_eq!(status, 402);
    assert!(
        words.contains("of this key, 2 models") && words.contains("00:00 UTC"),
        "{words}"
    );
    // What is free goes on, and so do others; a restart forgets nothing.
    assert_eq!(create(&server, SHOP, "sculpt").0, 201);
    assert_eq!(create(&server, APP, "meshy").0, 201);
    drop(server);
    let server = folder.server(&flags);
    let (status, words) = create(&server, APP, "meshy");
    assert_eq!(status, 402);
    assert!(words.contains("of this server, 3 models"), "{words}");
    let metrics = ask(&server, "GET", "/metrics", "", &Value::Null);
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("\nimage_to_3d_paid_today 3\n"), "{text}");
    assert!(
        text.contains("image_to_3d_requests_total{status=\"402\"} 1\n"),
        "{text}"
    );
}

#[test]
fn pages_of_other_origins_are_kept_out() {
    let folder = Folder::new("");
    folder.write("config.toml", "origins = [\"https://shop.example\"]\n");
    let server = folder.server(&[]);
    let own = format!("http://{}", server.host);
    for (origin, status, allowed) in [
        ("https://shop.example", 201, true),
        (own.as_str(), 201, true),
        ("https://evil.example", 403, false),
        ("https://shop.example.evil.example", 403, false),
        ("null", 403, false),
    ] {
        // As a page may send it without asking first.
        let headers = format!("origin: {origin}\r\ncontent-type: text/plain\r\n");
        let answer = ask(&server, "POST", SESSIONS, &headers, &body(&png(1)));
        assert_eq!(answer.status, status, "{origin}");
        let header = format!("access-control-allow-origin: {origin}\r\n");
        assert_eq!(
            format!("{}\r\n", answer.head).contains(&header),
            allowed,
            "{}",
            answer.head
        );
        let preflight = ask(&server, "OPTIONS", SESSIONS, &headers, &Value::Null);
        assert_eq!(
            preflight.head.contains("access-control-allow-origin"),
            allowed
        );
    }
    assert_eq!(
        ask(&server, "POST", SESSIONS, "", &body(&png(1))).status,
        201
    );
    let proxied = "x-forwarded-proto: https\r\n";
    let created = ask(&server, "POST", SESSIONS, proxied, &body(&png(1))).json();
    let picture = created["data"]["image_url"].as_str().unwrap();
    let expected = format!("https://{}/files/", server.host);
    assert!(picture.starts_with(&expected), "{picture}");
}

#[test]
fn where_money_can_be_spent_other_pages_have_to_be_listed() {
    let folder = Folder::new("");
    folder.write("config.toml", "[engines.fal]\n");
    let server = folder.server(&[]);
    let port = server.host.rsplit(':').next().unwrap();
    let status = |host: &str, origin: &str| {
        let request = format!(
            "GET {SESSIONS} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nconnection: close\r\n\r\n"
        );
        exchange(&server.host, request.as_bytes()).unwrap().status
    };
    let (own, local) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    assert_eq!(status(&own, &format!("http://{own}")), 200);
    assert_eq!(status(&local, &format!("http://{local}")), 200);
    assert_eq!(status("[::1]:80", "http://[::1]:80"), 200);
    assert_eq!(status(&own, "https://evil.example"), 403);
    // A name of theirs that leads here makes their page none of the server's own.
    let rebound = format!("evil.example:{port}");
    assert_eq!(status(&rebound, &format!("http://{rebound}")), 403);
}

const MIB: usize = 1024 * 1024;

/// A connection on which a request has begun whose body is to have this size.
fn begun(server: &Server, headers: &str, size: usize) -> TcpStream {
    let host = &server.host;
    let head = format!(
        "POST {SESSIONS} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {size}\r\n\r\n"
    );
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The next answer on a connection that stays.
fn answered(stream: &mut TcpStream) -> Answer {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let size = stream.read(&mut buffer).expect("an answer in time");
        assert_ne!(size, 0, "the connection ended");
        bytes.extend(&buffer[..size]);
        if let Some(answer) = parse(&bytes) {
            return answer;
        }
    }
}

#[test]
fn a_stranger_is_refused_by_the_head_and_nothing_of_its_body_is_kept() {
    let closed = Folder::new("");
    let listed = Folder::new("");
    listed.write("config.toml", "origins = [\"https://shop.example\"]\n");
    let evil = "origin: https://evil.example\r\n".to_owned();
    for (folder, headers, status, words) in [
        (&closed, String::new(), 401, "x-api-key: missing"),
        (&closed, key("guess"), 401, "this key is not known"),
        (&listed, evil, 403, "pages of this origin"),
    ] {
        let server = folder.server(&[]);
        let mut stream = begun(&server, &headers, 20 * MIB);
        stream.write_all(&[b' '; 1000]).unwrap();
        let answer = answered(&mut stream);
        assert_eq!(answer.status, status, "{words}");
        let envelope = answer.json();
        assert_eq!(envelope["statusCode"], status);
        assert!(envelope["message"].as_str().unwrap().contains(words));
        let readable = answer.head.contains("access-control-allow-origin: *");
        assert_eq!(readable, status == 401, "{}", answer.head);
        // Who sends the rest all the same is not cut off.
        stream.write_all(&vec![b' '; 20 * MIB - 1000]).unwrap();
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: here\r\n\r\n")
            .unwrap();
        assert_eq!(answered(&mut stream).status, 200, "{words}");
    }
}

#[test]
fn a_stranger_that_sends_more_than_anybody_may_is_cut_off() {
    let folder = Folder::new("");
    let server = folder.server(&["--body-limit", "1"]);
    let mut stream = begun(&server, "", 200 * MIB);
    let piece = vec![b' '; MIB];
    let sent = (0..200).take_while(|_| stream.write_all(&piece).is_ok());
    let sent = sent.count();
    assert!((1..100).contains(&sent), "{sent}");
}

#[test]
fn a_caller_may_send_a_large_body() {
    let folder = Folder::new("");
    let server = folder.server(&["--body-limit", "30"]);
    let large = |size: usize| {
        let mut text = body(&png(1)).to_string().into_bytes();
        text.resize(size * MIB, b' ');
        exchange(&server.host, &post(SESSIONS, &key(SHOP), &text)).unwrap()
    };
    assert_eq!(large(30).status, 201);
    assert_eq!(large(31).status, 413);
}

#[test]
fn the_log_holds_neither_keys_nor_pictures_nor_tickets() {
    let folder = Folder::new("");
    let mut server = folder.server(&["--log"]);
    let picture = body(&png(1));
    let created = ask(&server, "POST", SESSIONS, &key(SHOP), &picture);
    let session = end_of(&server, SHOP, &code(&created.json()["data"]));
    let address = session["preview_mesh_url_glb"].as_str().unwrap();
    let path = address.split_once(&server.host).unwrap().1;
    ask(&server, "GET", path, &key(APP), &Value::Null);
    ask(
        &server,
        "GET",
        &format!("{SESSIONS}?key={SHOP}"),
        &key("guess-Zq87canary7d1f93"),
        &Value::Null,
    );
    server.child.kill().unwrap();
    let mut log = String::new();
    server
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    let lines = [
        format!("POST {SESSIONS} 201 shop"),
        "/preview.glb 200 app".to_owned(),
        format!("GET {SESSIONS} 401 -"),
    ];
    for line in lines {
        assert!(log.contains(&line), "{line}: {log}");
    }
    for secret in ["canary7d1f93", "ticket", "base64", "iVBOR"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
