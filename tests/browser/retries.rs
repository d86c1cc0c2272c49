//! Which requests are retried, and when.

use wasm_bindgen_test::wasm_bindgen_test;

use super::support::*;

/// Creates a session and returns the times of the requests in milliseconds after the first.
async fn attempts(options: &wasm_bindgen::JsValue) -> (Result<(), ()>, Vec<f64>) {
    let (fetch, records) = recording_fetch();
    set(options, "fetch", fetch);
    let result = create(options).await.map(drop).map_err(drop);
    let times: Vec<_> = records
        .iter()
        .map(|record| get(&record, "at").as_f64().unwrap())
        .collect();
    (result, times.iter().map(|at| at - times[0]).collect())
}

#[wasm_bindgen_test]
async fn retries_creates_after_temporary_rejections() {
    for fault in ["429-after_1", "503-after_1"] {
        let (result, times) = attempts(&to_failing_server(fault, "{}").await).await;
        assert_eq!((result, times.len()), (Ok(()), 2), "{fault}");
        assert!((1000.0..10_000.0).contains(&times[1]), "{times:?}");
    }
    let (result, times) = attempts(&to_failing_server("429_2", "{}").await).await;
    assert_eq!((result, times.len()), (Ok(()), 3));
    assert!((375.0..10_000.0).contains(&times[1]), "{times:?}");
}

#[wasm_bindgen_test]
async fn never_retries_creates_that_may_have_been_charged() {
    for fault in [
        "500_1",
        "502_1",
        "503_1",
        "empty_1",
        "no-json_1",
        "redirect_1",
    ] {
        let (result, times) =
            attempts(&to_failing_server(fault, r#"{"maxRetries": 5}"#).await).await;
        assert_eq!((result, times.len()), (Err(()), 1), "{fault}");
    }
    let options = to_server(r#"{"maxRetries": 5}"#).await;
    set(&options, "baseUrl", "http://127.0.0.1:20113");
    assert_eq!(attempts(&options).await.1.len(), 1);
}

#[wasm_bindgen_test]
async fn does_not_retry_after_permanent_rejections() {
    for fault in ["401", "402", "404", "413"] {
        let (result, times) = attempts(&to_failing_server(fault, "{}").await).await;
        assert_eq!((result, times.len()), (Err(()), 1), "{fault}");
    }
}

#[wasm_bindgen_test]
async fn retries_creates_with_an_idempotency_key() {
    let options = to_failing_server("500_1", r#"{"idempotencyKey": "order 7"}"#).await;
    let (result, times) = attempts(&options).await;
    assert_eq!((result, times.len()), (Ok(()), 2));
}

#[wasm_bindgen_test]
async fn limits_retries_to_max_retries() {
    for (retries, sent) in [(0, 1), (1, 2)] {
        let options = to_failing_server("429", &format!(r#"{{"maxRetries": {retries}}}"#)).await;
        let (result, times) = attempts(&options).await;
        assert_eq!((result, times.len()), (Err(()), sent));
    }
}

#[wasm_bindgen_test]
async fn exposes_retry_after() {
    let error = create_error(&to_failing_server("429-after", r#"{"maxRetries": 0}"#).await).await;
    assert_eq!(get(&error, "retryAfter"), 1);
    assert_error(&error, "rate_limited", "rejected");
}
