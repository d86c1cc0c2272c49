//! Forms of `image_url` that lead to this machine. A server listens there, and must not be contacted.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::json;

use crate::support::*;

/// Creates a session with this URL, in which `{port}` is replaced, and checks that it fails or is
/// rejected, and that nothing connects to the port.
fn assert_not_contacted(url: &str) {
    // Receives connections over IPv4 too.
    let listener = TcpListener::bind("[::]:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = url.replace("{port}", &port.to_string());
    let server = Server::start(&["--speed", "100"]);
    let response = server.post(SESSIONS, "", &json!({"image_url": url}));
    let response = response.expect("no response");
    match response.status {
        201 => {
            let session = server.wait_for_end(&session_code(&response.json()["data"]));
            assert_eq!(session["status"], "preview_failed", "{session}");
        }
        status => assert_eq!(status, 400, "{}", response.message()),
    }
    let accepted = listener.accept().map(|(_, peer)| peer);
    let error = accepted.expect_err("the server connected to its own machine");
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
}

/// Returns a URL with the name of this machine.
fn own_host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    format!("https://{}:{{port}}/a.png", name.trim())
}

// 192.0.2.1 is reserved for documentation.
cases! {
    assert_not_contacted:
    dotted_loopback: "https://127.0.0.1:{port}/a.png";
    other_loopback_address: "https://127.0.0.2:{port}/a.png";
    dotted_loopback_with_a_dot_at_the_end: "https://127.0.0.1.:{port}/a.png";
    two_parts: "https://127.1:{port}/a.png";
    three_parts: "https://127.0.1:{port}/a.png";
    decimal: "https://2130706433:{port}/a.png";
    hexadecimal: "https://0x7f000001:{port}/a.png";
    hexadecimal_parts: "https://0x7f.0x0.0x0.0x1:{port}/a.png";
    mixed_parts: "https://0x7f.1:{port}/a.png";
    octal: "https://017700000001:{port}/a.png";
    octal_parts: "https://0177.0.0.01:{port}/a.png";
    zero: "https://0:{port}/a.png";
    unspecified_ipv4: "https://0.0.0.0:{port}/a.png";
    unspecified_ipv6: "https://[::]:{port}/a.png";
    ipv6_loopback: "https://[::1]:{port}/a.png";
    uncompressed_ipv6_loopback: "https://[0:0:0:0:0:0:0:1]:{port}/a.png";
    mapped_ipv4: "https://[::ffff:127.0.0.1]:{port}/a.png";
    mapped_hexadecimal_ipv4: "https://[::ffff:7f00:1]:{port}/a.png";
    compatible_ipv4: "https://[::127.0.0.1]:{port}/a.png";
    nat64: "https://[64:ff9b::7f00:1]:{port}/a.png";
    local_nat64: "https://[64:ff9b:1::7f00:1]:{port}/a.png";
    six_to_four: "https://[2002:7f00:1::]:{port}/a.png";
    link_local_ipv6: "https://[fe80::1]:{port}/a.png";
    ipv6_with_a_zone: "https://[::1%25lo]:{port}/a.png";
    link_local_ipv4: "https://169.254.169.254:{port}/a.png";
    link_local_ipv4_in_hexadecimal: "https://0xa9fea9fe:{port}/a.png";
    localhost: "https://localhost:{port}/a.png";
    localhost_in_upper_case: "HTTPS://LOCALHOST:{port}/a.png";
    localhost_with_a_dot_at_the_end: "https://localhost.:{port}/a.png";
    localhost_in_encoded_characters: "https://loc%61lhost:{port}/a.png";
    localhost_in_circled_letters: "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/a.png";
    own_name: &own_host_name();
    user_name: "https://user@127.0.0.1:{port}/a.png";
    user_name_that_looks_like_a_host: "https://192.0.2.1@127.0.0.1:{port}/a.png";
    user_name_and_password: "https://192.0.2.1:443@127.0.0.1:{port}/a.png";
    fragment_that_looks_like_a_host: "https://127.0.0.1:{port}#@192.0.2.1/a.png";
    query_that_looks_like_a_host: "https://127.0.0.1:{port}?@192.0.2.1/a.png";
    backslash_before_a_host: "https://192.0.2.1\\@127.0.0.1:{port}/a.png";
    backslash_behind_the_host: "https://127.0.0.1:{port}\\@192.0.2.1/a.png";
    encoded_dots: "https://127%2e0%2e0%2e1:{port}/a.png";
    encoded_digits: "https://%31%32%37.0.0.1:{port}/a.png";
    circled_digits: "https://①②⑦.⓪.⓪.①:{port}/a.png";
    ideographic_dots: "https://127。0。0。1:{port}/a.png";
    null_character_in_the_host: "https://127.0.0.1\0.example.com:{port}/a.png";
    tab_in_the_host: "https://127.0.\t0.1:{port}/a.png";
    line_break_in_the_path: "https://127.0.0.1:{port}/a\r\nhost: x";
    one_slash: "https:/127.0.0.1:{port}/a.png";
    three_slashes: "https:///127.0.0.1:{port}/a.png";
    no_slashes: "https:127.0.0.1:{port}/a.png";
    no_encryption: "http://127.0.0.1:{port}/a.png";
    file_scheme: "file:///etc/passwd";
    gopher_scheme: "gopher://127.0.0.1:{port}/_GET";
    unix_socket: "unix:/var/run/docker.sock";
}
