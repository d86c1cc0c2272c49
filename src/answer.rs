//! What the API answered: the envelope opened, and a no turned into a failure.

use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::prelude::*;

use crate::error::{ErrorKind, Failure};
use crate::ledger::Ledger;
use crate::transport::Answer;

/// As much of an answer that makes no sense as a message repeats, in characters.
const SHOWN: usize = 200;

/// Opens the envelope: answers its `data`, which is an object.
pub fn open(answer: &Answer, ledger: &Ledger) -> Result<JsValue, Failure> {
    let failure = if answer.is_redirect() {
        Failure::new(
            ErrorKind::Api,
            "the server answered with a redirect, which is not followed, since the key would go \
             along: name the address that it leads to as baseUrl",
        )
    } else if (200..300).contains(&answer.status) {
        let text = ledger.hide_in_result(&answer.text);
        let envelope = JSON::parse(&text).unwrap_or_default();
        match field(&envelope, "data") {
            Some(data) if data.is_object() => return Ok(data),
            _ => no_envelope(answer),
        }
    } else {
        refusal(answer)
    };
    Err(Failure {
        status: (answer.status > 0).then_some(answer.status),
        body: (!answer.text.is_empty()).then(|| answer.text.clone()),
        ..failure
    })
}

/// Checks what every session has: its code and a status, old style or new.
pub fn check_session(data: &JsValue) -> Result<(), Failure> {
    let has = |name| field(data, name).is_some_and(|value| value.is_string());
    if !has("session_code") {
        return Err(without(data, "session", "session_code"));
    }
    if !has("status") && !has("session_status") {
        return Err(without(data, "session", "status"));
    }
    Ok(())
}

/// Checks what every list of sessions has.
pub fn check_list(data: &JsValue) -> Result<(), Failure> {
    match field(data, "results") {
        Some(results) if Array::is_array(&results) => Ok(()),
        _ => Err(without(data, "list of sessions", "results")),
    }
}

fn without(data: &JsValue, what: &str, name: &str) -> Failure {
    Failure {
        body: JSON::stringify(data).ok().map(String::from),
        ..Failure::new(
            ErrorKind::Api,
            ["the answer holds a ", what, " without ", name].concat(),
        )
    }
}

/// What an answer says that is a no.
pub fn refusal(answer: &Answer) -> Failure {
    let body = JSON::parse(&answer.text).unwrap_or_default();
    let said = ["message", "error"]
        .into_iter()
        .find_map(|name| text(&body, name));
    let status = answer.status.to_string();
    let kind = match answer.status {
        401 | 403 => ErrorKind::Authentication,
        402 => ErrorKind::PaymentRequired,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        // Seen from the service in place of a 429.
        400 if said.as_deref().is_some_and(is_rate_limit) => ErrorKind::RateLimited,
        _ => ErrorKind::Api,
    };
    Failure::new(
        kind,
        match said {
            Some(said) => [&*said, " (HTTP ", &status, ")"].concat(),
            None => {
                let hint = match answer.status {
                    404 | 405 => "; does baseUrl name a server of this API?",
                    _ => "",
                };
                [
                    "the API answered HTTP ",
                    &status,
                    &excerpt(&answer.text),
                    hint,
                ]
                .concat()
            }
        },
    )
}

fn is_rate_limit(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["rate limit", "rate-limit", "too many requests"]
        .iter()
        .any(|words| message.contains(words))
}

fn no_envelope(answer: &Answer) -> Failure {
    let status = answer.status.to_string();
    Failure::new(
        ErrorKind::Api,
        [
            "HTTP ",
            &status,
            " came with what is no answer of this API",
            &excerpt(&answer.text),
        ]
        .concat(),
    )
}

fn excerpt(text: &str) -> String {
    if text.is_empty() {
        return ", and an empty body".into();
    }
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    [": ", &start, more].concat()
}

/// A field of an object; `None` where there is no such object.
pub fn field(value: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(value, &name.into()).ok()
}

/// A field of an object that holds a text which is not empty.
pub fn text(value: &JsValue, name: &str) -> Option<String> {
    let text = field(value, name)?.as_string()?;
    (!text.is_empty()).then_some(text)
}
