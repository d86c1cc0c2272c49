//! Reading of the image in chunks.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ReadableStreamGetReaderOptions, ReadableStreamReaderMode, Response};

use crate::error::{ErrorCode, Failure, Result};
use crate::js::{await_value, bytes, call_method, error_message, field, has_method};

/// Reads the bytes of an image into buffers in the wasm.
pub enum ImageReader {
    /// The byte stream of a file. The buffer is transferred to each read and returned by it.
    Stream {
        reader: ByobReader,
        buffer: Option<ArrayBuffer>,
    },
    /// Slices of a file, for runtimes whose files have no byte stream.
    Slices { blob: JsValue, position: f64 },
    /// Bytes in the memory of the page.
    Memory { bytes: Uint8Array, position: u32 },
}

impl ImageReader {
    /// Starts at the first of these bytes.
    pub fn of_bytes(bytes: Uint8Array) -> Self {
        Self::Memory { bytes, position: 0 }
    }

    /// Opens a `Blob`, or an object that behaves like one.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub async fn of_blob(blob: &JsValue) -> Result<Self> {
        Ok(Self::open(blob).await.map_err(unreadable)?)
    }

    async fn open(blob: &JsValue) -> Result<Self, JsValue> {
        if has_method(blob, "stream") {
            let stream = call_method(blob, "stream", &Array::new())?;
            if let Some(reader) = ByobReader::new(&stream) {
                return Ok(Self::Stream {
                    reader,
                    buffer: None,
                });
            }
        }
        if has_method(blob, "arrayBuffer") && has_method(blob, "slice") {
            return Ok(Self::Slices {
                blob: blob.clone(),
                position: 0.0,
            });
        }
        // Imitations of `Blob` in test environments.
        let whole = match has_method(blob, "arrayBuffer") {
            true => call_method(blob, "arrayBuffer", &Array::new())?,
            false => {
                let stream = call_method(blob, "stream", &Array::new())?;
                let response = Response::new_with_opt_readable_stream(Some(stream.unchecked_ref()));
                response?.array_buffer()?.into()
            }
        };
        Ok(Self::of_bytes(bytes_of(&await_value(whole).await?)?))
    }

    /// Reads until `buffer` is full or the image ends, and returns the number of bytes read.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub async fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = self.read(&mut buffer[filled..]).await;
            let length = read.map_err(unreadable)?;
            if length == 0 {
                break;
            }
            filled += length;
        }
        Ok(filled)
    }

    async fn read(&mut self, into: &mut [u8]) -> Result<usize, JsValue> {
        match self {
            Self::Stream { reader, buffer } => reader.read(buffer, into).await,
            Self::Slices { blob, position } => {
                let end = *position + into.len() as f64;
                let range = Array::of2(&(*position).into(), &end.into());
                let slice = call_method(blob, "slice", &range)?;
                let bytes = call_method(&slice, "arrayBuffer", &Array::new())?;
                let length = copy(&bytes_of(&await_value(bytes).await?)?, into)?;
                *position += length as f64;
                Ok(length)
            }
            Self::Memory { bytes, position } => {
                // Shorter than before if the caller has transferred or resized it.
                let end = bytes.length().min(*position + into.len() as u32);
                if end < *position || bytes.length() == 0 {
                    return Err(JsError::new("the buffer was transferred").into());
                }
                let length = copy(&bytes.subarray(*position, end), into)?;
                *position = end;
                Ok(length)
            }
        }
    }
}

/// A reader of a byte stream, which is cancelled when it is dropped.
pub struct ByobReader(JsValue);

impl ByobReader {
    /// Returns `None` if the stream is not a byte stream.
    fn new(stream: &JsValue) -> Option<Self> {
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        let reader = call_method(stream, "getReader", &Array::of1(&options));
        reader.ok().map(Self)
    }

    async fn read(
        &self,
        buffer: &mut Option<ArrayBuffer>,
        into: &mut [u8],
    ) -> Result<usize, JsValue> {
        let length = into.len() as u32;
        let transferred = buffer.take().unwrap_or_else(|| ArrayBuffer::new(length));
        let view = Uint8Array::new_with_byte_offset_and_length(&transferred, 0, length);
        let read = call_method(&self.0, "read", &Array::of1(&view))?;
        let result = await_value(read).await?;
        if field(&result, "done").is_truthy() {
            return Ok(0);
        }
        let view = bytes_of(&field(&result, "value"))?;
        let length = copy(&view, into)?;
        *buffer = Some(view.buffer());
        Ok(length)
    }
}

impl Drop for ByobReader {
    fn drop(&mut self) {
        if let Ok(cancelled) = call_method(&self.0, "cancel", &Array::new()) {
            // Rejects if the reading has failed. A rejection that is not awaited would end a Node.js
            // process.
            spawn_local(async {
                let _ = await_value(cancelled).await;
            });
        }
    }
}

/// Returns the bytes that a file has returned.
fn bytes_of(value: &JsValue) -> Result<Uint8Array, JsValue> {
    bytes(value).ok_or_else(|| JsError::new("the file returned no bytes").into())
}

/// Copies bytes to the start of a buffer and returns their number.
fn copy(from: &Uint8Array, to: &mut [u8]) -> Result<usize, JsValue> {
    let length = from.length() as usize;
    match to.get_mut(..length) {
        Some(to) => from.copy_to(to),
        None => return Err(JsError::new("the file returned too many bytes").into()),
    }
    Ok(length)
}

fn unreadable(thrown: JsValue) -> Box<Failure> {
    let reason = error_message(&thrown);
    let message = format!(
        "image: the file cannot be read. It was changed or moved after it was chosen, or is not on \
         this device ({reason})."
    );
    Failure::new(ErrorCode::UnreadableImage, message).with_cause(thrown)
}
