//! What costs money is counted when it is asked for, and is refused over the day's limit.

mod support;

use std::sync::atomic::Ordering;

use api::{Client, Config, DailyLimit, Response};
use serde_json::{Value, json};
use support::*;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn limited(all: u32) -> Config {
    Config {
        engines: vec!["far".into(), "sculpt".into()],
        paid_engines: vec!["far".into()],
        daily_limit: DailyLimit {
            total: Some(all),
            per_client: None,
        },
        ..Config::default()
    }
}

fn open(config: &Config) -> TestApi {
    with_quick(TestApi::with(config))
}

fn with_quick(api: TestApi) -> TestApi {
    TestApi {
        engine: Some(Box::new(quick())),
        ..api
    }
}

fn paid(api: &TestApi) -> u32 {
    api.inner.metrics(api.now).paid_today
}

fn choice() -> Value {
    json!({"selected_spin_index": 0})
}

/// A session whose view is to be chosen, with its views.
fn turbo(api: &mut TestApi) -> String {
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    api.now += 1000;
    assert_eq!(api.session(&code)["status"], "spin_generate_done");
    code
}

#[test]
fn a_model_that_follows_a_choice_is_paid_for_on_the_day_of_the_choice() {
    let mut api = open(&limited(2));
    let codes: Vec<_> = (0..4).map(|_| turbo(&mut api)).collect();
    assert_eq!(paid(&api), 0);
    api.now += DAY;
    for code in &codes[..2] {
        assert_eq!(api.preview(code, &choice()).status(), 200);
    }
    assert_eq!(paid(&api), 2);
    let words = refused(&api.preview(&codes[2], &choice()), 402);
    assert_eq!(
        words,
        refused(&api.post(SESSIONS, &with_picture(json!({}))), 402)
    );
    assert!(words.contains("of this server, 2 models"), "{words}");
    // It changed nothing, and what costs nothing goes on.
    assert_eq!(api.session(&codes[2])["status"], "spin_generate_done");
    let free = code(&api.create(json!({"engine": "sculpt", "preview_mesh": "turbo"})));
    api.now += 1000;
    assert_eq!(api.preview(&free, &choice()).status(), 200);
    turbo(&mut api);
    assert_eq!(api.refine(&codes[0], &json!({})).status(), 200);
    assert_eq!(paid(&api), 2);
    api.now += DAY;
    assert_eq!(paid(&api), 0);
    assert_eq!(api.preview(&codes[2], &choice()).status(), 200);
    // Nor does one pay for a choice that is not to be made any more.
    refused(&api.preview(&codes[2], &choice()), 409);
    api.create(json!({}));
    refused(&api.preview(&codes[3], &choice()), 402);
    assert_eq!(paid(&api), 2);
}

#[test]
fn a_repeated_request_is_paid_for_once() {
    let mut api = open(&limited(2));
    let turbo = turbo(&mut api);
    let path = format!("{SESSIONS}/get-3d/preview/{turbo}");
    let create = with_picture(json!({})).to_string();
    let preview = choice().to_string();
    for (key, path, body, status) in [("c", SESSIONS, create, 201), ("p", &path, preview, 200)] {
        for _ in 0..3 {
            let headers = [("idempotency-key", key)];
            let answer = api.send(request("POST", path, &headers, &body));
            assert_eq!(answer.status(), status, "{}", text(&answer));
        }
    }
    assert_eq!(paid(&api), 2);
}

#[test]
fn what_was_paid_is_stored_with_what_it_was_paid_for() {
    let store = Shared::default();
    let mut api = with_quick(store.open(&limited(1), START));
    let first = turbo(&mut api);
    store.full.store(true, Ordering::Relaxed);
    refused(&api.preview(&first, &choice()), 500);
    assert_eq!(paid(&api), 0);
    store.full.store(false, Ordering::Relaxed);
    assert_eq!(api.preview(&first, &choice()).status(), 200);
    let mut api = with_quick(store.open(&limited(1), api.now));
    assert_eq!(paid(&api), 1);
    let second = turbo(&mut api);
    refused(&api.preview(&second, &choice()), 402);
}

#[test]
fn each_client_pays_for_its_own_choices() {
    let clients = ["shop", "app"].map(|name| Client {
        name: name.into(),
        key: format!("key of {name}"),
    });
    let config = Config {
        clients: clients.into(),
        daily_limit: DailyLimit {
            total: None,
            per_client: Some(1),
        },
        ..limited(0)
    };
    let mut api = open(&config);
    let post = |api: &TestApi, owner: &str, path: &str, body: Value| -> Response {
        let key = format!("key of {owner}");
        let headers = [("x-api-key", key.as_str())];
        api.send(request("POST", path, &headers, &body.to_string()))
    };
    let turbo = with_picture(json!({"preview_mesh": "turbo"}));
    let codes = ["shop", "shop", "app"].map(|owner| {
        let created = post(&api, owner, SESSIONS, turbo.clone());
        (owner, code(&data(&created)))
    });
    api.now += 1000;
    let mut answers = codes.iter().map(|(owner, code)| {
        let path = format!("{SESSIONS}/get-3d/preview/{code}");
        post(&api, owner, &path, choice())
    });
    assert_eq!(answers.next().unwrap().status(), 200);
    let words = refused(&answers.next().unwrap(), 402);
    assert!(words.contains("of this key, 1 models"), "{words}");
    assert_eq!(answers.next().unwrap().status(), 200);
}
