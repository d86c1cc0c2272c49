//! The names of the metrics, on which the dashboards and alerts of operators depend.

use std::collections::BTreeSet;

use crate::access::harness::Folder;
use crate::support::{SESSIONS, repository_file};

const NAMES: [&str; 10] = [
    "image_to_3d_client_paid_today",
    "image_to_3d_client_sessions_total",
    "image_to_3d_jobs",
    "image_to_3d_model_requests_total",
    "image_to_3d_paid_daily_limit",
    "image_to_3d_paid_today",
    "image_to_3d_requests_total",
    "image_to_3d_sessions",
    "image_to_3d_sessions_ended_total",
    "image_to_3d_sessions_open",
];

#[test]
fn every_metric_has_its_name_and_is_described() {
    // `client_*` have no value without client keys.
    let server = Folder::new("").start_server(&["--daily-limit", "3", "--engine", "meshy"]);
    // `requests_total` has no value before the first request to the API.
    server.get(SESSIONS);
    let text = String::from_utf8(server.get("/metrics").body).unwrap();
    let names = |prefix: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
        lines
            .map(|line| line.split([' ', '{']).next().unwrap().to_owned())
            .collect()
    };
    let expected = BTreeSet::from(NAMES.map(str::to_owned));
    assert_eq!(names("# HELP "), expected);
    assert_eq!(names("# TYPE "), expected);
    let values = names("image_to_3d_");
    let values: BTreeSet<_> = values
        .iter()
        .map(|name| format!("image_to_3d_{name}"))
        .collect();
    assert_eq!(values, expected);
}

/// The table abbreviates the prefix of all names but the first of a row to `…`.
#[test]
fn every_metric_is_documented() {
    let docs = repository_file("docs/server.md");
    for name in NAMES {
        let short = name.replacen("image_to_3d", "…", 1);
        let is_documented = [name, short.as_str()].iter().any(|name| {
            ['`', '{']
                .iter()
                .any(|end| docs.contains(&format!("`{name}{end}")))
        });
        assert!(is_documented, "docs/server.md does not describe {name}");
    }
}
