//! What is sent again, when, and what is not.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::*;

/// When the requests went out, in milliseconds after the first.
async fn attempts(options: &wasm_bindgen::JsValue) -> (Result<(), ()>, Vec<f64>) {
    let (fetch, notes) = noting_fetch();
    set(options, "fetch", fetch);
    let result = create(options).await.map(drop).map_err(drop);
    let times: Vec<_> = notes
        .iter()
        .map(|note| get(&note, "at").as_f64().unwrap())
        .collect();
    (result, times.iter().map(|at| at - times[0]).collect())
}

#[wasm_bindgen_test]
async fn a_create_is_sent_again_when_the_api_refused_it_for_now() {
    for fault in ["429-after_1", "503-after_1"] {
        let (result, times) = attempts(&with_fault(fault, "{}").await).await;
        assert_eq!((result, times.len()), (Ok(()), 2), "{fault}");
        assert!((1000.0..10_000.0).contains(&times[1]), "{times:?}");
    }
    let (result, times) = attempts(&with_fault("429_2", "{}").await).await;
    assert_eq!((result, times.len()), (Ok(()), 3));
    assert!((375.0..10_000.0).contains(&times[1]), "{times:?}");
}

#[wasm_bindgen_test]
async fn a_create_that_may_have_been_charged_is_never_sent_again() {
    for fault in [
        "500_1",
        "502_1",
        "503_1",
        "empty_1",
        "no-json_1",
        "redirect_1",
    ] {
        let (result, times) = attempts(&with_fault(fault, r#"{"maxRetries": 5}"#).await).await;
        assert_eq!((result, times.len()), (Err(()), 1), "{fault}");
    }
    let options = to_server(r#"{"maxRetries": 5}"#).await;
    set(&options, "baseUrl", "http://127.0.0.1:20113");
    assert_eq!(attempts(&options).await.1.len(), 1);
}

#[wasm_bindgen_test]
async fn a_clear_no_is_not_asked_again() {
    for fault in ["401", "402", "404", "413"] {
        let (result, times) = attempts(&with_fault(fault, "{}").await).await;
        assert_eq!((result, times.len()), (Err(()), 1), "{fault}");
    }
}

#[wasm_bindgen_test]
async fn an_idempotency_key_makes_a_create_repeatable() {
    let options = with_fault("500_1", r#"{"idempotencyKey": "order 7"}"#).await;
    let (result, times) = attempts(&options).await;
    assert_eq!((result, times.len()), (Ok(()), 2));
}

#[wasm_bindgen_test]
async fn retries_end_at_the_callers_number() {
    for (retries, sent) in [(0, 1), (1, 2)] {
        let options = with_fault("429", &format!(r#"{{"maxRetries": {retries}}}"#)).await;
        let (result, times) = attempts(&options).await;
        assert_eq!((result, times.len()), (Err(()), sent));
    }
}

#[wasm_bindgen_test]
async fn a_retry_after_can_be_read_by_the_caller() {
    let error = thrown(&with_fault("429-after", r#"{"maxRetries": 0}"#).await).await;
    assert_eq!(get(&error, "retryAfter"), 1);
    assert_error(&error, "rate_limited", "rejected");
}
