//! The emulators reject what the real services reject, including requests that the server is careful
//! not to send.

use serde_json::{Value, json};

use crate::emulators::hosted::{Emulator, Engine, KEY, Scenario};
use crate::emulators::samples::disc_png;
use crate::support::{create_body, exchange};

pub const TASKS: &str = "/openapi/v1/image-to-3d";

/// Sends a request with the engine's key to an emulator. Returns the status and the JSON.
pub fn send(
    emulator: &Emulator,
    method: &str,
    path: &str,
    scheme: &str,
    body: &Value,
) -> (u16, Value) {
    let headers = format!("authorization: {scheme} {KEY}\r\n");
    send_with_headers(emulator, method, path, &headers, body)
}

fn send_with_headers(
    emulator: &Emulator,
    method: &str,
    path: &str,
    headers: &str,
    body: &Value,
) -> (u16, Value) {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\n\r\n{body}",
        emulator.host,
        body.len()
    );
    let response = exchange(&emulator.host, request.as_bytes()).unwrap();
    let json = serde_json::from_slice(&response.body);
    (response.status, json.unwrap_or_default())
}

mod fal {
    use super::*;

    const MODEL: &str = "/fal-ai/trellis-2";

    fn start() -> Emulator {
        Emulator::with_manual_clock(Engine::Fal, Scenario::Normal)
    }

    fn send(emulator: &Emulator, method: &str, path: &str, body: Value) -> (u16, Value) {
        super::send(emulator, method, path, "Key", &body)
    }

    /// Starts a job and returns the path of its result.
    fn start_job(emulator: &Emulator) -> String {
        let image = create_body(&disc_png());
        let (_, job) = send(emulator, "POST", "/fal-ai/hunyuan3d/v2/mini", image);
        let url = job["response_url"].as_str().unwrap();
        let (_, path) = url.split_once(&emulator.host).unwrap();
        path.to_owned()
    }

    #[test]
    fn rejects_a_bearer_token() {
        let emulator = start();
        let image = create_body(&disc_png());
        let (status, json) = super::send(&emulator, "POST", MODEL, "Bearer", &image);
        assert_eq!(
            (status, &json["detail"]),
            (401, &json!("No user found for Key ID and Secret"))
        );
        assert_eq!(emulator.billed_models(), 0);
    }

    #[test]
    fn rejects_images_in_a_private_network() {
        let emulator = start();
        for url in [
            "http://127.0.0.1/a.png",
            "http://10.0.0.1/a.png",
            "https://localhost/a.png",
        ] {
            let (status, json) = send(&emulator, "POST", MODEL, json!({"image_url": url}));
            assert_eq!(
                (status, &json["detail"][0]["type"]),
                (422, &json!("file_download_error")),
                "{url}"
            );
        }
        assert_eq!(emulator.billed_models(), 0);
    }

    #[test]
    fn job_urls_hold_only_the_owner_and_the_app() {
        let emulator = start();
        let path = start_job(&emulator);
        let id = path.strip_prefix("/fal-ai/hunyuan3d/requests/").unwrap();
        let full = format!("/fal-ai/hunyuan3d/v2/mini/requests/{id}/status");
        assert_eq!(send(&emulator, "GET", &full, Value::Null).0, 404);
    }

    #[test]
    fn result_of_a_running_job_is_rejected() {
        let emulator = start();
        let path = start_job(&emulator);
        let (status, json) = send(&emulator, "GET", &path, Value::Null);
        assert_eq!(
            (status, &json["detail"]),
            (400, &json!("Request is still in progress"))
        );
    }

    #[test]
    fn status_has_logs_only_on_request() {
        let emulator = start();
        let path = start_job(&emulator) + "/status";
        emulator.clock.skip(2.5);
        let (status, json) = send(&emulator, "GET", &path, Value::Null);
        assert_eq!((status, &json["logs"]), (202, &Value::Null));
        let (_, json) = send(&emulator, "GET", &format!("{path}?logs=1"), Value::Null);
        assert!(json["logs"].is_array(), "{json}");
    }

    #[test]
    fn completed_job_cannot_be_cancelled_and_expires() {
        let emulator = start();
        let path = start_job(&emulator);
        emulator.clock.skip(4.5);
        let status = format!("{path}/status");
        assert_eq!(send(&emulator, "GET", &status, Value::Null).0, 200);
        let (status, json) = send(&emulator, "PUT", &format!("{path}/cancel"), Value::Null);
        assert_eq!(
            (status, &json["status"]),
            (400, &json!("ALREADY_COMPLETED"))
        );
        assert_eq!(send(&emulator, "GET", &path, Value::Null).0, 200);
        emulator.clock.skip(4000.0);
        assert_eq!(send(&emulator, "GET", &path, Value::Null).0, 404);
    }
}

mod meshy {
    use super::*;

    fn start() -> Emulator {
        Emulator::with_manual_clock(Engine::Meshy, Scenario::Normal)
    }

    fn send(emulator: &Emulator, method: &str, path: &str, body: Value) -> (u16, Value) {
        super::send(emulator, method, path, "Bearer", &body)
    }

    /// Starts a task and returns its path.
    fn start_task(emulator: &Emulator) -> String {
        let (_, created) = send(emulator, "POST", TASKS, create_body(&disc_png()));
        format!("{TASKS}/{}", created["result"].as_str().unwrap())
    }

    #[test]
    fn rejects_the_scheme_of_fal() {
        let emulator = start();
        let image = create_body(&disc_png());
        let (status, _) = super::send(&emulator, "POST", TASKS, "Key", &image);
        assert_eq!((status, emulator.billed_models()), (401, 0));
    }

    #[test]
    fn rejects_requests_of_web_pages() {
        let emulator = start();
        let image = create_body(&disc_png());
        let headers = format!("authorization: Bearer {KEY}\r\norigin: https://shop.example\r\n");
        let (status, _) = send_with_headers(&emulator, "POST", TASKS, &headers, &image);
        assert_eq!((status, emulator.billed_models()), (403, 0));
    }

    #[test]
    fn rejects_the_retired_model_type() {
        let emulator = start();
        let mut body = create_body(&disc_png());
        body["model_type"] = json!("lowpoly");
        let (status, _) = send(&emulator, "POST", TASKS, body);
        assert_eq!((status, emulator.billed_models()), (400, 0));
    }

    #[test]
    fn waiting_task_has_no_times() {
        let emulator = start();
        let task = start_task(&emulator);
        let (_, json) = send(&emulator, "GET", &task, Value::Null);
        assert_eq!(
            (&json["started_at"], &json["finished_at"]),
            (&json!(0), &Value::Null)
        );
    }

    #[test]
    fn each_poll_returns_a_fresh_file_url_until_the_task_expires() {
        let emulator = start();
        let task = start_task(&emulator);
        emulator.clock.skip(5.0);
        let file_url = || send(&emulator, "GET", &task, Value::Null).1["model_urls"]["glb"].take();
        let (first, second) = (file_url(), file_url());
        assert!(first.is_string(), "{first}");
        assert_ne!(first, second);
        emulator.clock.skip(3.0 * 86_400.0);
        assert_eq!(send(&emulator, "GET", &task, Value::Null).0, 404);
    }

    #[test]
    fn deleted_task_is_unknown() {
        let emulator = start();
        let task = start_task(&emulator);
        assert_eq!(send(&emulator, "DELETE", &task, Value::Null).0, 200);
        assert_eq!(send(&emulator, "GET", &task, Value::Null).0, 404);
    }
}
