//! The request's body: the parameters, then the picture as a base64 `data:` URI.
//!
//! A text of the picture's size costs several copies of it, whoever makes it. So there is none
//! here: one piece at a time is read into the wasm, encoded, and put into a `Blob`, which the
//! browser keeps outside of the page. Neither the wasm heap nor the page grows with the picture.
//! Only a picture of no more than one piece becomes plain bytes: a `Blob` goes through another
//! process, which would take longer than all the rest of it.

use alloc::string::String;
use alloc::vec;
use core::mem::MaybeUninit;

use base64_simd::{Out, STANDARD};
use contract::IMAGE_URL;
use js_sys::{Array, ArrayBuffer, Function, JsString, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, ReadableStreamByobReader, ReadableStreamGetReaderOptions, ReadableStreamReadResult,
    ReadableStreamReaderMode,
};

use crate::error::{Result, Thrown, words};
use crate::image::Picture;
use crate::js::{blob, object, settled, stringify};
use crate::stop::Breath;

/// How many bytes of the picture are encoded at once: a multiple of three, so that each piece but
/// the last is whole base64. Below half a megabyte the calls between wasm and browser show, above
/// one nothing is gained.
const PIECE: usize = 768 * 1024;

/// How long a piece is in base64.
const TEXT: usize = PIECE / 3 * 4;

/// What follows the picture.
const END: &str = "\"}";

/// Writes the body. `parameters` is a JSON object.
pub async fn write(
    parameters: &JsString,
    picture: &Picture,
    on_progress: Option<&Function>,
) -> Result<JsValue> {
    let parts = Array::new();
    // Parameters first, so that whoever looks at a body need not go through the picture.
    let mut head = String::from(parameters.slice(0, parameters.length() - 1));
    if head.len() > 1 {
        head.push(',');
    }
    head.push('"');
    head.push_str(IMAGE_URL);
    head.push_str("\":");
    let source = match picture {
        Picture::Url(url) => {
            let url = stringify(&url.into(), &JsValue::UNDEFINED).map_err(Thrown::Value)?;
            parts.push(&head.into());
            parts.push(&url);
            parts.push(&"}".into());
            return body(&parts);
        }
        Picture::DataUri(uri) => {
            head.push('"');
            parts.push(&head.into());
            parts.push(uri);
            parts.push(&END.into());
            return body(&parts);
        }
        Picture::Blob(blob) => Source::open(blob),
        Picture::Bytes(bytes) => Source::Memory { bytes, at: 0 },
    };
    encode(source, picture.size(), head, parts, on_progress).await
}

async fn encode(
    mut source: Source<'_>,
    total: f64,
    mut head: String,
    parts: Array,
    on_progress: Option<&Function>,
) -> Result<JsValue> {
    if total == 0.0 {
        return Err(Thrown::image(&["image: is empty"]));
    }
    // Of one size whatever the picture's: the heap, which never shrinks, is the same for all.
    let mut read = vec![0; PIECE];
    let mut encoded = vec![MaybeUninit::uninit(); TEXT];
    // The browser copies it into each `Blob`.
    let mut out = None;
    let mut breath = Breath::new();
    let mut loaded = 0.0;
    loop {
        // Not more than there is: to be told of the end costs a small picture another wait.
        let wanted = PIECE.min((total - loaded) as usize);
        let into = read.get_mut(..wanted).unwrap_or_default();
        let length = source.fill(into).await?;
        let piece = read.get(..length).unwrap_or_default();
        if loaded == 0.0 {
            let media_type = contract::sniff(piece).ok_or_else(|| no_picture(piece))?;
            for part in ["\"data:", media_type, ";base64,"] {
                head.push_str(part);
            }
        }
        let text = STANDARD.encode(piece, Out::from_uninit_slice(&mut encoded));
        loaded += length as f64;
        report(on_progress, "encoding", loaded, total)?;
        let is_last = length < wanted || loaded >= total;
        if is_last && loaded <= PIECE as f64 {
            return Ok(joined(&[head.as_bytes(), text, END.as_bytes()]).into());
        }
        let out = out.get_or_insert_with(|| {
            parts.push(&head.as_str().into());
            Uint8Array::new_with_length(TEXT as u32)
        });
        let out = out.subarray(0, text.len() as u32);
        set_bytes(&out, text);
        let part = blob(&Array::of1(&out), "").map_err(Thrown::Value)?;
        parts.push(&part);
        if is_last {
            parts.push(&END.into());
            return body(&parts);
        }
        breath.take().await;
    }
}

fn body(parts: &Array) -> Result<JsValue> {
    let body = blob(parts, "").map_err(Thrown::Value)?;
    Ok(body.into())
}

fn joined(parts: &[&[u8]]) -> Uint8Array {
    let bytes = Uint8Array::new_with_length(parts.iter().map(|part| part.len() as u32).sum());
    let mut at = 0;
    for part in parts {
        let end = at + part.len() as u32;
        set_bytes(&bytes.subarray(at, end), part);
        at = end;
    }
    bytes
}

/// Tells the caller how far the picture is, as a `Progress`. What the caller's function throws ends the call.
pub fn report(on_progress: Option<&Function>, phase: &str, loaded: f64, total: f64) -> Result<()> {
    let Some(on_progress) = on_progress else {
        return Ok(());
    };
    let progress = object(&[
        ("phase", phase.into()),
        ("loaded", loaded.into()),
        ("total", total.into()),
    ]);
    let called = on_progress.call1(&JsValue::UNDEFINED, &progress);
    called.map(drop).map_err(Thrown::Value)
}

fn no_picture(start: &[u8]) -> Thrown {
    let mut known = String::new();
    for media_type in contract::IMAGE_TYPES {
        if !known.is_empty() {
            known.push_str(", ");
        }
        known.push_str(media_type.strip_prefix("image/").unwrap_or(media_type));
    }
    let mut hex = String::new();
    for byte in start.iter().take(8) {
        hex.push(' ');
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
        }
    }
    Thrown::image(&[
        "image: is no picture that is known (",
        &known,
        "): it starts with the bytes",
        &hex,
    ])
}

/// Where the picture's bytes come from.
enum Source<'a> {
    /// The file's own stream, read into one buffer that goes back and forth.
    Stream {
        reader: ReadableStreamByobReader,
        buffer: Option<ArrayBuffer>,
    },
    /// For browsers whose files have no such stream.
    Slices {
        blob: &'a Blob,
        at: f64,
    },
    Memory {
        bytes: &'a Uint8Array,
        at: u32,
    },
}

impl<'a> Source<'a> {
    fn open(blob: &'a Blob) -> Self {
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        let stream: ByteStream = blob.stream().unchecked_into();
        match stream.byob_reader(&options) {
            Ok(reader) => Self::Stream {
                reader,
                buffer: None,
            },
            Err(_) => Self::Slices { blob, at: 0.0 },
        }
    }

    /// Reads until `into` is full or the picture is at its end; answers how much it is.
    async fn fill(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while let Some(free) = into.get_mut(filled..).filter(|free| !free.is_empty()) {
            let length = match self {
                Self::Stream { reader, buffer } => read_stream(reader, buffer, free).await?,
                Self::Slices { blob, at } => {
                    let end = *at + free.len() as f64;
                    let slice = blob.slice_with_f64_and_f64(*at, end).map_err(unreadable)?;
                    let read = settled(slice.array_buffer()).await.map_err(unreadable)?;
                    let length = copy(&Uint8Array::new(&read), free);
                    *at += length as f64;
                    length
                }
                Self::Memory { bytes, at } => {
                    let end = bytes.length().min(*at + free.len() as u32);
                    let length = copy(&bytes.subarray(*at, end), free);
                    *at = end;
                    length
                }
            };
            if length == 0 {
                break;
            }
            filled += length;
        }
        Ok(filled)
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        if let Self::Stream { reader, .. } = self {
            // Nobody waits for it: the call is over.
            let _ = reader.cancel();
        }
    }
}

async fn read_stream(
    reader: &ReadableStreamByobReader,
    buffer: &mut Option<ArrayBuffer>,
    into: &mut [u8],
) -> Result<usize> {
    let whole = buffer
        .take()
        .unwrap_or_else(|| ArrayBuffer::new(into.len() as u32));
    // Reading takes the buffer away and gives it back in the view that it answers.
    let view = Uint8Array::new_with_byte_offset_and_length(&whole, 0, into.len() as u32);
    let result = settled(reader.read_with_array_buffer_view(&view)).await;
    let result: ReadableStreamReadResult = result.map_err(unreadable)?.unchecked_into();
    if result.get_done() == Some(true) {
        return Ok(0);
    }
    let view: Uint8Array = result.get_value().unchecked_into();
    let length = copy(&view, into);
    *buffer = Some(view.buffer());
    Ok(length)
}

fn copy(from: &Uint8Array, to: &mut [u8]) -> usize {
    let length = from.length() as usize;
    set(to, from);
    length
}

fn unreadable(thrown: JsValue) -> Thrown {
    Thrown::image(&["image: cannot be read: ", &words(&thrown)])
}

#[wasm_bindgen]
extern "C" {
    // js-sys asserts that both are of one length, in words that take formatting along. What is
    // longer throws here all the same.
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn set_bytes(to: &Uint8Array, from: &[u8]);
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn set(to: &mut [u8], from: &Uint8Array);

    type ByteStream;
    /// Throws where the stream is no byte stream.
    #[wasm_bindgen(method, js_name = getReader, catch)]
    fn byob_reader(
        this: &ByteStream,
        options: &ReadableStreamGetReaderOptions,
    ) -> core::result::Result<ReadableStreamByobReader, JsValue>;
}
