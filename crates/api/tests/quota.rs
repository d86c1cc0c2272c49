//! The daily limit of paid models.

mod support;

use std::sync::atomic::Ordering;

use api::{Client, Config, DailyLimit, Response};
use serde_json::{Value, json};
use support::*;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn limited(total: u32) -> Config {
    Config {
        engines: vec!["remote".into(), "sculpt".into()],
        paid_engines: vec!["remote".into()],
        daily_limit: DailyLimit {
            total: Some(total),
            per_client: None,
            ..DailyLimit::default()
        },
        ..Config::default()
    }
}

fn open(config: &Config) -> TestApi {
    with_instant_engine(TestApi::with(config))
}

fn with_instant_engine(api: TestApi) -> TestApi {
    TestApi {
        engine: Some(Box::new(instant_engine())),
        ..api
    }
}

fn paid(api: &TestApi) -> u32 {
    api.inner.metrics(api.now).unwrap().paid_today
}

fn selection() -> Value {
    json!({"selected_spin_index": 0})
}

/// Creates a session that waits for the selection of a spin.
fn turbo(api: &mut TestApi) -> String {
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    assert_eq!(api.session(&code)["status"], "spin_generate_done");
    code
}

#[test]
fn charges_a_model_on_the_day_when_its_spin_is_selected() {
    let mut api = open(&limited(2));
    let codes: Vec<_> = (0..4).map(|_| turbo(&mut api)).collect();
    assert_eq!(paid(&api), 0);
    api.now += DAY;
    for code in &codes[..2] {
        assert_eq!(api.preview(code, &selection()).status(), 200);
    }
    assert_eq!(paid(&api), 2);
    let message = error_message(&api.preview(&codes[2], &selection()), 402);
    assert_eq!(
        message,
        error_message(&api.post(SESSIONS, &with_image(json!({}))), 402)
    );
    assert_eq!(
        message,
        "The daily limit of 2 paid models for this server is reached. It resets at 00:00 UTC."
    );
    // The session is unchanged, and unpaid requests are accepted.
    assert_eq!(api.session(&codes[2])["status"], "spin_generate_done");
    let free = code(&api.create(json!({"engine": "sculpt", "preview_mesh": "turbo"})));
    api.now += 1000;
    assert_eq!(api.preview(&free, &selection()).status(), 200);
    turbo(&mut api);
    assert_eq!(api.refine(&codes[0], &json!({})).status(), 200);
    assert_eq!(paid(&api), 2);
    api.now += DAY;
    assert_eq!(paid(&api), 0);
    assert_eq!(api.preview(&codes[2], &selection()).status(), 200);
    // A selection at the wrong stage is not charged.
    error_message(&api.preview(&codes[2], &selection()), 409);
    api.create(json!({}));
    error_message(&api.preview(&codes[3], &selection()), 402);
    assert_eq!(paid(&api), 2);
}

#[test]
fn charges_a_replayed_request_once() {
    let mut api = open(&limited(2));
    let turbo = turbo(&mut api);
    let path = format!("{SESSIONS}/get-3d/preview/{turbo}");
    let create = with_image(json!({})).to_string();
    let preview = selection().to_string();
    for (key, path, body, status) in [("c", SESSIONS, create, 201), ("p", &path, preview, 200)] {
        for _ in 0..3 {
            let headers = [("idempotency-key", key)];
            let response = api.send(request("POST", path, &headers, &body));
            assert_eq!(response.status(), status, "{}", text(&response));
        }
    }
    assert_eq!(paid(&api), 2);
}

#[test]
fn stores_a_charge_together_with_its_session() {
    let store = SharedStore::default();
    let mut api = with_instant_engine(store.open(&limited(1), START));
    let first = turbo(&mut api);
    store.is_full.store(true, Ordering::Relaxed);
    error_message(&api.preview(&first, &selection()), 500);
    assert_eq!(paid(&api), 0);
    store.is_full.store(false, Ordering::Relaxed);
    assert_eq!(api.preview(&first, &selection()).status(), 200);
    let mut api = with_instant_engine(store.open(&limited(1), api.now));
    assert_eq!(paid(&api), 1);
    let second = turbo(&mut api);
    error_message(&api.preview(&second, &selection()), 402);
}

#[test]
fn charges_each_client_for_its_own_models() {
    let clients = ["shop", "app"].map(|name| Client {
        name: name.into(),
        key: format!("key of {name}"),
    });
    let config = Config {
        clients: clients.into(),
        daily_limit: DailyLimit {
            total: None,
            per_client: Some(1),
            ..DailyLimit::default()
        },
        ..limited(0)
    };
    let mut api = open(&config);
    let post = |api: &TestApi, owner: &str, path: &str, body: Value| -> Response {
        let key = format!("key of {owner}");
        let headers = [("x-api-key", key.as_str())];
        api.send(request("POST", path, &headers, &body.to_string()))
    };
    let turbo = with_image(json!({"preview_mesh": "turbo"}));
    let codes = ["shop", "shop", "app"].map(|owner| {
        let created = post(&api, owner, SESSIONS, turbo.clone());
        (owner, code(&data(&created)))
    });
    api.now += 1000;
    let mut responses = codes.iter().map(|(owner, code)| {
        let path = format!("{SESSIONS}/get-3d/preview/{code}");
        post(&api, owner, &path, selection())
    });
    assert_eq!(responses.next().unwrap().status(), 200);
    assert_eq!(
        error_message(&responses.next().unwrap(), 402),
        "The daily limit of 1 paid model for this key is reached. It resets at 00:00 UTC."
    );
    assert_eq!(responses.next().unwrap().status(), 200);
}
