//! Sends an image to the API with `gloo-file`, `serde_json` and `gloo-net`.

use gloo_file::Blob;
use gloo_file::futures::read_as_data_url;
use gloo_net::http::Request;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[derive(Serialize)]
struct Body {
    creativity: &'static str,
    image_url: String,
}

/// Sends a create request with the image, and returns the body of the response.
///
/// # Errors
///
/// Fails if the file cannot be read or the request cannot be sent.
#[wasm_bindgen]
pub async fn send(url: String, file: web_sys::File) -> Result<String, JsError> {
    let image_url = read_as_data_url(&Blob::from(web_sys::Blob::from(file))).await?;
    let creativity = "lowest";
    let body = serde_json::to_string(&Body {
        creativity,
        image_url,
    })?;
    let request = Request::post(&url)
        .header("content-type", "application/json")
        .body(body)?;
    Ok(request.send().await?.text().await?)
}
