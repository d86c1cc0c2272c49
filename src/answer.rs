//! What the API answered: the envelope opened, and a no turned into a failure.

use alloc::boxed::Box;
use alloc::string::String;
use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;

use crate::error::{ErrorKind, Failure};
use crate::js::{RegExp, digits, field, parse, start, stringify, text};
use crate::ledger::Ledger;
use crate::transport::Answer;

/// As much of an answer that makes no sense as a message repeats, in UTF-16 units.
const SHOWN: u32 = 200;

/// Opens the envelope: answers its `data`, which is an object.
pub fn open(answer: &Answer, ledger: &Ledger) -> Result<JsValue, Box<Failure>> {
    let mut failure = if answer.is_redirect() {
        Failure::new(
            ErrorKind::Api,
            &[
                "the server answered with a redirect, which is not followed, since the key would \
                 go along: name the address that it leads to as baseUrl",
            ],
        )
    } else if (200..300).contains(&answer.status) {
        let text = ledger.hide_in_result(answer.text.clone());
        let data = field(&parse(&text).unwrap_or_default(), "data");
        if data.is_object() {
            return Ok(data);
        }
        no_envelope(answer)
    } else {
        refusal(answer)
    };
    failure.status = (answer.status > 0).then_some(answer.status);
    failure.body = (answer.text.length() > 0).then(|| answer.text.clone());
    Err(failure)
}

/// Checks what every session has: its code and a status, old style or new.
pub fn check_session(data: &JsValue) -> Result<(), Box<Failure>> {
    let has = |name| field(data, name).is_string();
    if !has("session_code") {
        return Err(without(data, "session", "session_code"));
    }
    if !has("status") && !has("session_status") {
        return Err(without(data, "session", "status"));
    }
    Ok(())
}

/// Checks what every list of sessions has.
pub fn check_list(data: &JsValue) -> Result<(), Box<Failure>> {
    if Array::is_array(&field(data, "results")) {
        return Ok(());
    }
    Err(without(data, "list of sessions", "results"))
}

fn without(data: &JsValue, what: &str, name: &str) -> Box<Failure> {
    let message = ["the answer holds a ", what, " without ", name];
    let mut failure = Failure::new(ErrorKind::Api, &message);
    failure.body = stringify(data, &JsValue::UNDEFINED).ok();
    failure
}

/// What an answer says that is a no.
pub fn refusal(answer: &Answer) -> Box<Failure> {
    let body = parse(&answer.text).unwrap_or_default();
    let said = text(&body, "message").or_else(|| text(&body, "error"));
    let status = digits(answer.status.into());
    let kind = match answer.status {
        401 | 403 => ErrorKind::Authentication,
        402 => ErrorKind::PaymentRequired,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        // Seen from the service in place of a 429.
        400 if said.as_deref().is_some_and(is_rate_limit) => ErrorKind::RateLimited,
        _ => ErrorKind::Api,
    };
    if let Some(said) = said {
        return Failure::new(kind, &[&said, " (HTTP ", &status, ")"]);
    }
    let hint = match answer.status {
        404 | 405 => "; does baseUrl name a server of this API?",
        _ => "",
    };
    let excerpt = excerpt(&answer.text);
    Failure::new(kind, &["the API answered HTTP ", &status, &excerpt, hint])
}

fn is_rate_limit(message: &str) -> bool {
    let words = RegExp::new("rate[ -]limit|too many requests", "i");
    words.exec(&message.into()).is_some()
}

fn no_envelope(answer: &Answer) -> Box<Failure> {
    let message = [
        "HTTP ",
        &digits(answer.status.into()),
        " came with what is no answer of this API",
        &excerpt(&answer.text),
    ];
    Failure::new(ErrorKind::Api, &message)
}

fn excerpt(text: &JsString) -> String {
    if text.length() == 0 {
        return ", and an empty body".into();
    }
    [": ", &start(text, SHOWN)].concat()
}
