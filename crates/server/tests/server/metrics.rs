//! The names of the metrics, on which the dashboards and alerts of operators depend.

use std::collections::BTreeSet;

use crate::access::harness::Folder;
use crate::support::{
    SESSIONS, Server, create_body, repository_file, session_code, solid_png, wait_until,
};

const NAMES: [&str; 14] = [
    "image_to_3d_client_paid_today",
    "image_to_3d_client_sessions_total",
    "image_to_3d_job_seconds",
    "image_to_3d_jobs",
    "image_to_3d_model_requests_total",
    "image_to_3d_paid_cents_today",
    "image_to_3d_paid_daily_limit",
    "image_to_3d_paid_daily_limit_cents",
    "image_to_3d_paid_today",
    "image_to_3d_queue_age_seconds",
    "image_to_3d_requests_total",
    "image_to_3d_sessions",
    "image_to_3d_sessions_ended_total",
    "image_to_3d_sessions_open",
];

fn metrics(server: &Server) -> String {
    String::from_utf8(server.get("/metrics").body).unwrap()
}

#[test]
fn every_metric_has_its_name_and_is_described() {
    // `client_*` have no value without client keys.
    let server = Folder::new("").start_server(&[
        "--daily-limit",
        "3",
        "--daily-limit-usd",
        "5",
        "--engine",
        "meshy",
    ]);
    // `requests_total` has no value before the first request to the API.
    server.get(SESSIONS);
    let text = metrics(&server);
    let names = |prefix: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
        lines
            .map(|line| line.split([' ', '{']).next().unwrap().to_owned())
            .collect()
    };
    // OpenMetrics describes a counter without the end of its name.
    let described = NAMES.map(|name| name.trim_end_matches("_total").to_owned());
    let described = BTreeSet::from(described);
    assert_eq!(names("# HELP "), described);
    assert_eq!(names("# TYPE "), described);
    let values = names("image_to_3d_");
    let values: BTreeSet<_> = values
        .iter()
        .map(|name| format!("image_to_3d_{name}"))
        .map(|name| {
            let ends = ["_bucket", "_sum", "_count"];
            let base = ends.iter().find_map(|end| name.strip_suffix(end));
            base.map(str::to_owned).unwrap_or(name)
        })
        .collect();
    assert_eq!(values, BTreeSet::from(NAMES.map(str::to_owned)));
}

/// Prometheus chooses the parser by the type.
#[test]
fn metrics_are_in_the_openmetrics_format() {
    let server = Server::start(&[]);
    let response = server.get("/metrics");
    let media_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(response.head.contains(media_type), "{}", response.head);
    assert!(response.body.ends_with(b"# EOF\n"));
}

#[test]
fn jobs_are_counted_by_their_seconds() {
    let server = Server::start(&["--speed", "50"]);
    let line = |value: &str, count: u32| {
        format!("\nimage_to_3d_job_seconds_{value}{{engine=\"sculpt\"}} {count}\n")
    };
    assert!(metrics(&server).contains(&line("count", 0)));
    let created = server
        .post(SESSIONS, "", &create_body(&solid_png(1)))
        .unwrap();
    let session = server.wait_for_end(&session_code(&created.json()["data"]));
    assert_eq!(session["session_status"], "complete");
    // A session is visible as done before its job is counted.
    wait_until(|| metrics(&server).contains(&line("count", 1)));
    let text = metrics(&server);
    let last = "image_to_3d_job_seconds_bucket{le=\"+Inf\",engine=\"sculpt\"} 1\n";
    assert!(text.contains(last), "{text}");
    assert!(
        !text.contains("job_seconds_sum{engine=\"sculpt\"} 0.0\n"),
        "{text}"
    );
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
