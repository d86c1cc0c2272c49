//! What models cost: the cheapest request for an order, the limit in money, and the cost of a session.

use serde_json::{Value, json};

use super::harness::start_gateway;
use crate::emulators::hosted::{Emulator, Engine, Scenario};

/// Runs a session, and returns it with the emulator's bill.
fn run(engine: Engine, table: &str, parameters: Value) -> (Value, f64) {
    let emulator = Emulator::start(engine, Scenario::Normal);
    let gateway = start_gateway(&emulator, table, &[]);
    let session = gateway.create_and_wait(parameters);
    assert_eq!(session["status"], "preview_done", "{session}");
    (session, emulator.bill())
}

/// Runs a session with a model of fal, and returns the bill and the fields of its request.
fn run_fal_model(id: &str, parameters: Value) -> (f64, Value) {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let gateway = start_gateway(
        &emulator,
        &format!("[engines.fal.model]\nid = \"{id}\"\n"),
        &[],
    );
    let session = gateway.create_and_wait(parameters);
    assert_eq!(session["status"], "preview_done", "{session}");
    (emulator.bill(), emulator.bodies().remove(0))
}

const TRIPO_MODELS: [&str; 4] = [
    "tripo3d/h3.1/image-to-3d",
    "tripo3d/p1/image-to-3d",
    "tripo3d/p2/image-to-3d",
    "tripo3d/tripo/v2.5/image-to-3d",
];

#[test]
fn untextured_tripo_models_of_fal_are_not_billed_as_textured() {
    for id in TRIPO_MODELS {
        let (bill, body) = run_fal_model(id, json!({}));
        assert_eq!(bill, 20.0, "{id}: {body}");
        assert_eq!(body["pbr"], false);
    }
}

#[test]
fn textured_tripo_models_of_fal_are_billed_as_textured() {
    for id in TRIPO_MODELS {
        let (bill, body) = run_fal_model(id, json!({"generate_texture": true}));
        assert_eq!(bill, 30.0, "{id}: {body}");
    }
}

#[test]
fn fal_is_asked_for_as_many_faces_as_a_web_page_renders_unless_ordered_otherwise() {
    for (resolution, faces) in [
        (Value::Null, 40_000),
        (json!("high_poly"), 500_000),
        (json!("low_poly"), 20_000),
    ] {
        let mut parameters = json!({"generate_texture": true, "resolution": resolution});
        if resolution.is_null() {
            parameters.as_object_mut().unwrap().remove("resolution");
        }
        let (_, body) = run_fal_model("fal-ai/trellis-2", parameters);
        assert_eq!(body["decimation_target"], faces, "{body}");
    }
}

/// [A] fal keeps inputs for 30 days and result files for a week or longer without these headers.
#[test]
fn fal_is_asked_not_to_keep_images_and_results() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let gateway = start_gateway(&emulator, "keep_files = 600\n", &[]);
    gateway.create_and_wait(json!({}));
    let headers = emulator.headers().remove(0);
    assert_eq!(headers["x-fal-store-io"], "0");
    assert_eq!(
        headers["x-fal-object-lifecycle-preference"],
        "{\"expiration_duration_seconds\":600}"
    );
    // The deadline of the configuration.
    assert_eq!(headers["x-fal-request-timeout"], "60");
}

#[test]
fn meshy_low_poly_model_costs_a_quarter() {
    let low_poly = json!({"resolution": "low_poly"});
    let (session, bill) = run(Engine::Meshy, "", low_poly);
    assert_eq!(bill, 5.0);
    assert_eq!(session["cost"], json!({"amount": 5.0, "unit": "credits"}));
}

#[test]
fn meshy_textured_low_poly_model_costs_half() {
    let low_poly = json!({"resolution": "low_poly", "generate_texture": true});
    assert_eq!(run(Engine::Meshy, "", low_poly).1, 15.0);
}

#[test]
fn meshy_quads_are_remeshed() {
    let quads = json!({"resolution": "low_poly", "topology": "quads"});
    assert_eq!(run(Engine::Meshy, "", quads).1, 20.0);
}

#[test]
fn meshy_low_poly_model_can_be_remeshed_from_a_standard_one() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::Normal);
    let table = "ai_model = \"meshy-6\"\nlow_poly_model = \"meshy-6\"\n";
    let gateway = start_gateway(&emulator, table, &[]);
    gateway.create_and_wait(json!({"resolution": "low_poly"}));
    let body = emulator.bodies().remove(0);
    assert_eq!(
        (&body["ai_model"], &body["should_remesh"], emulator.bill()),
        (&json!("meshy-6"), &json!(true), 20.0)
    );
}

#[test]
fn meshy_default_model_is_the_newest_that_is_known() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    gateway.create_and_wait(json!({}));
    assert_eq!(emulator.bodies()[0]["ai_model"], "meshy-7.1");
}

#[test]
fn session_shows_the_billable_units_of_fal() {
    let (session, _) = run(Engine::Fal, "", json!({}));
    let cost = json!({"amount": 1.0, "unit": "billable_units"});
    assert_eq!(session["cost"], cost, "{session}");
}

#[test]
fn session_of_a_restarted_server_keeps_its_cost() {
    let emulator = Emulator::start(Engine::Meshy, Scenario::Normal);
    let mut gateway = start_gateway(&emulator, "", &[]);
    let session = gateway.create_and_wait(json!({}));
    gateway.kill_and_restart(|| {});
    let code = session["session_code"].as_str().unwrap();
    assert_eq!(gateway.session(code)["cost"]["amount"], 20.0);
}

#[test]
fn models_above_the_daily_limit_in_money_are_rejected() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    // An untextured model costs $0.16, a textured one $0.30.
    let gateway = start_gateway(&emulator, "", &["--daily-limit-usd", "0.40"]);
    gateway.create(json!({}));
    let error = gateway
        .try_create(json!({"generate_texture": true}))
        .unwrap_err();
    assert_eq!(error["statusCode"], 402, "{error}");
    assert_eq!(
        error["message"],
        "The daily limit of $0.40 for paid models of this server is reached: $0.24 is left, and this \
         model costs about $0.30. It resets at 00:00 UTC."
    );
    gateway.create(json!({}));
    assert!(gateway.try_create(json!({})).is_err());
}

#[test]
fn configured_price_replaces_the_list_price() {
    let emulator = Emulator::start(Engine::Fal, Scenario::Normal);
    let gateway = start_gateway(
        &emulator,
        "price_usd = 0.29\n",
        &["--daily-limit-usd", "0.6"],
    );
    for _ in 0..2 {
        gateway.create(json!({"generate_texture": true}));
    }
    let error = gateway.try_create(json!({})).unwrap_err();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("$0.02 is left"), "{message}");
}
