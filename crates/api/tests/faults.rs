//! The simulated faults.

mod support;

use api::{Delivery, Response};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, RETRY_AFTER};
use serde_json::{Value, json};
use support::*;

fn create(api: &TestApi, key: &str) -> Response {
    let body = with_image(json!({})).to_string();
    api.send(request("POST", SESSIONS, &[("x-api-key", key)], &body))
}

fn sessions(api: &TestApi) -> usize {
    let results = data(&api.get(SESSIONS))["results"].take();
    results.as_array().unwrap().len()
}

fn listed(api: &TestApi) -> Vec<(String, String)> {
    let faults = data(&api.get("/sandbox/faults"))["results"].take();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let faults = faults.as_array().unwrap().iter();
    faults
        .map(|fault| (text(&fault["name"]), text(&fault["what"])))
        .collect()
}

#[test]
fn lists_each_fault_with_a_sentence() {
    let listed = listed(&TestApi::new());
    assert!(listed.len() > 30);
    for (at, (name, what)) in listed.iter().enumerate() {
        assert!(what.ends_with('.'), "{name}: {what}");
        // `_` separates the parts of a key.
        assert!(!name.contains('_'));
        assert!(listed[..at].iter().all(|other| other.0 != *name));
    }
}

#[test]
fn returns_the_status_that_the_sentence_names() {
    let api = TestApi::new();
    for (name, what) in listed(&api) {
        let Some(status) = what.get(..3).and_then(|start| start.parse::<u16>().ok()) else {
            continue;
        };
        assert_eq!(
            create(&api, &format!("fault_{name}")).status(),
            status,
            "{name}"
        );
    }
    assert_eq!(sessions(&api), 0);
}

#[test]
fn applies_a_fault_as_often_as_the_key_says() {
    let api = TestApi::new();
    for key in ["fault_500_2_a", "fault_500_2_b", "fault_drop-after_2"] {
        let dropped = |response: &Response| {
            response.status() == 500 || response.extensions().get::<Delivery>().is_some()
        };
        let met: Vec<_> = (0..4).map(|_| dropped(&create(&api, key))).collect();
        assert_eq!(met, [true, true, false, false], "{key}");
    }
    for _ in 0..4 {
        assert_eq!(create(&api, "fault_500_nonce").status(), 500);
    }
    for key in ["fault", "a fault_500"] {
        assert_eq!(create(&api, key).status(), 201);
    }
}

#[test]
fn ignores_the_key_of_a_preflight() {
    let api = TestApi::new();
    let preflight = request("OPTIONS", SESSIONS, &[("x-api-key", "fault_500_1")], "");
    let response = api.send(preflight);
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(create(&api, "fault_500_1").status(), 500);
}

#[test]
fn hides_retry_after_from_pages() {
    let api = TestApi::new();
    for (key, exposed) in [("fault_429-after", true), ("fault_429-hidden", false)] {
        let headers = create(&api, key).into_parts().0.headers;
        assert_eq!(headers[RETRY_AFTER], "1");
        let names = headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
        assert_eq!(names.contains("retry-after"), exposed);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }
    let headers = create(&api, "fault_429").into_parts().0.headers;
    assert!(!headers.contains_key(RETRY_AFTER));
}

#[test]
fn marks_the_delivery_of_a_response() {
    use Delivery::*;
    for (name, delivery, created) in [
        ("stall", Stall, 0),
        ("drop-before", Drop, 0),
        ("drop-after", Drop, 1),
        ("drop-middle", Truncate, 1),
        ("trickle", Throttle, 1),
    ] {
        let api = TestApi::new();
        let response = create(&api, &format!("fault_{name}"));
        assert_eq!(response.extensions().get(), Some(&delivery), "{name}");
        assert_eq!(sessions(&api), created, "{name}");
        let log = data(&api.get("/sandbox/requests"))["results"].take();
        assert_eq!(log[0]["delivery"], json!(delivery));
        let sends_head = matches!(delivery, Truncate | Throttle);
        assert_eq!(log[0].get("status"), sends_head.then_some(&json!(201)));
    }
}

#[test]
fn drops_the_connection_before_the_body_only_for_drop_before() {
    let api = TestApi::new();
    for (name, _) in listed(&api) {
        let key = format!("fault_{name}_1");
        let request = request("POST", SESSIONS, &[("x-api-key", &key)], "");
        let is_dropped = api.inner.should_drop_connection(&request, api.now);
        assert_eq!(is_dropped, name == "drop-before", "{name}");
    }
    // drop-before is counted and logged; the other faults are not.
    assert_eq!(create(&api, "fault_drop-before_1").status(), 201);
    let stalled = create(&api, "fault_stall_1");
    assert_eq!(stalled.extensions().get(), Some(&Delivery::Stall));
    let log = data(&api.get("/sandbox/requests"))["results"].take();
    let dropped = log.as_array().unwrap().iter();
    assert_eq!(
        dropped.filter(|entry| entry["delivery"] == "drop").count(),
        1
    );
}

#[test]
fn fails_the_selected_stage() {
    let auto = json!({"auto_refine": true});
    for (key, body, after, status) in [
        ("fault_spin-failed", json!({}), 1000, "spin_generate_failed"),
        (
            "fault_spin-failed",
            json!({"preview_mesh": "turbo"}),
            1000,
            "spin_generate_failed",
        ),
        ("fault_preview-failed", json!({}), 2000, "preview_failed"),
        (
            "fault_preview-failed",
            json!({"generate_preview_mesh": true}),
            1000,
            "preview_failed",
        ),
        ("fault_refine-failed", auto, 4000, "refine_failed"),
        ("fault_refine-failed", json!({}), 4000, "preview_done"),
    ] {
        let mut api = TestApi::new();
        let created = api.create_with(&[("x-api-key", key)], body);
        let start = api.now;
        api.now = start + after - 1;
        assert_ne!(api.session(&code(&created))["session_status"], "failed");
        api.now = start + 9000;
        let session = api.session(&code(&created));
        assert_eq!(session["status"], status, "{key}");
        if status.ends_with("_failed") {
            assert_eq!(session["session_status"], "failed");
            assert_eq!(
                session["error"],
                "This failure was requested by the x-api-key of the session"
            );
            assert!(session.get("mesh_url_glb").is_none());
        }
        let has_preview = matches!(status, "preview_done" | "refine_failed");
        assert_eq!(session.get("preview_mesh_url_glb").is_some(), has_preview);
    }
}

#[test]
fn allows_another_refinement_after_a_failed_one() {
    let mut api = TestApi::new();
    let key = [("x-api-key", "fault_refine-failed")];
    let code = code(&api.create_with(&key, json!({})));
    api.now += 2000;
    for _ in 0..2 {
        assert_eq!(api.refine(&code, &json!({})).status(), 200);
        assert_eq!(api.session(&code)["status"], "training_refine");
        api.now += 2000;
        assert_eq!(api.session(&code)["status"], "refine_failed");
    }
}

#[test]
fn returns_an_unknown_status_for_three_polls() {
    let mut api = TestApi::new();
    let key = [("x-api-key", "fault_unknown-status_1")];
    let created = api.create_with(&key, json!({}));
    assert_eq!(created["status"], "spin_generate_processing");
    api.now += 2000;
    api.get(SESSIONS);
    for _ in 0..3 {
        let session = api.session(&code(&created));
        assert_eq!(session["status"], "warming_up");
        assert_eq!(session["session_status"], "pondering");
    }
    assert_eq!(api.session(&code(&created))["status"], "preview_done");
    let next = api.create_with(&key, json!({}));
    assert_eq!(
        api.session(&code(&next))["status"],
        "spin_generate_processing"
    );
}

#[test]
fn omits_newer_fields_or_adds_unknown_ones() {
    let api = TestApi::new();
    let plain = api.create(json!({}));
    let old = api.create_with(&[("x-api-key", "fault_old-style")], json!({}));
    let new = api.create_with(&[("x-api-key", "fault_unknown-fields")], json!({}));
    let names = |session: &Value| -> Vec<String> {
        let fields = session.as_object().unwrap().keys();
        fields.cloned().collect()
    };
    for session in [&old, &api.session(&code(&old))] {
        let mut expected = names(&plain);
        expected.retain(|name| !["session_status", "percent_done"].contains(&&**name));
        assert_eq!(names(session), expected);
    }
    assert_eq!(api.session(&code(&new))["geometry_model"], "v9");
    assert_eq!(names(&new).len(), names(&plain).len() + 3);
}

#[test]
fn makes_results_unavailable() {
    for (key, status, readable, delivery) in [
        ("plain", 200, true, None),
        ("fault_result-expired", 403, true, None),
        ("fault_result-no-cors", 200, false, None),
        ("fault_result-trickle", 200, true, Some(Delivery::Throttle)),
    ] {
        let mut api = TestApi::new();
        let key = [("x-api-key", key)];
        let created = api.create_with(&key, json!({"auto_refine": true}));
        api.now += 4000;
        let session = api.session(&code(&created));
        for field in ["preview_mesh_url_glb", "mesh_url_glb"] {
            let response = api.get_url(&session[field]);
            assert_eq!(response.status(), status, "{key:?}");
            let headers = response.headers();
            assert_eq!(headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), readable);
            assert_eq!(response.extensions().get(), delivery.as_ref());
        }
        // The image is not affected.
        let picture = api.get_url(&session["image_url"]);
        assert_eq!(picture.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }
}

#[test]
fn rejects_an_unknown_fault_with_the_known_names() {
    let api = TestApi::new();
    for key in ["fault_", "fault_nope", "fault_preview_failed_1"] {
        let names: Vec<_> = listed(&api).into_iter().map(|(name, _)| name).collect();
        let names = names.join(", ");
        assert_eq!(
            error_message(&create(&api, key), 400),
            format!("x-api-key: unknown fault. Available: {names}.")
        );
    }
    assert_eq!(sessions(&api), 0);
    assert_eq!(create(&api, "faulty").status(), 201);
}
