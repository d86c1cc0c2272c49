//! Reading of the image in chunks.

use alloc::format;

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, ReadableStreamByobReader, ReadableStreamGetReaderOptions, ReadableStreamReadResult,
    ReadableStreamReaderMode,
};

use crate::error::{CallError, Result};
use crate::js::{await_promise, error_message};

/// Reads the bytes of an image into buffers in the wasm.
pub enum ImageReader<'a> {
    /// The byte stream of a file. The buffer is transferred to each read and returned by it.
    Stream {
        reader: ReadableStreamByobReader,
        buffer: Option<ArrayBuffer>,
    },
    /// Slices of a file, for browsers whose files have no byte stream.
    Slices { blob: &'a Blob, position: f64 },
    /// Bytes in the memory of the page.
    Memory {
        bytes: &'a Uint8Array,
        position: u32,
    },
}

impl<'a> ImageReader<'a> {
    /// Opens a file.
    pub fn of_blob(blob: &'a Blob) -> Self {
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        let stream: ByteStream = blob.stream().unchecked_into();
        match stream.byob_reader(&options) {
            Ok(reader) => Self::Stream {
                reader,
                buffer: None,
            },
            Err(_) => Self::Slices {
                blob,
                position: 0.0,
            },
        }
    }

    /// Starts at the first of these bytes.
    pub fn of_bytes(bytes: &'a Uint8Array) -> Self {
        Self::Memory { bytes, position: 0 }
    }

    /// Reads until `buffer` is full or the image ends, and returns the number of bytes read.
    ///
    /// # Errors
    /// Fails if the browser cannot read the file.
    pub async fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            let length = self.read(free).await?;
            if length == 0 {
                break;
            }
            filled += length;
        }
        Ok(filled)
    }

    async fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Self::Stream { reader, buffer } => read_stream(reader, buffer, into).await,
            Self::Slices { blob, position } => {
                let end = *position + into.len() as f64;
                let slice = blob
                    .slice_with_f64_and_f64(*position, end)
                    .map_err(unreadable)?;
                let bytes = await_promise(slice.array_buffer())
                    .await
                    .map_err(unreadable)?;
                let length = copy(&Uint8Array::new(&bytes), into);
                *position += length as f64;
                Ok(length)
            }
            Self::Memory { bytes, position } => {
                let end = bytes.length().min(*position + into.len() as u32);
                let length = copy(&bytes.subarray(*position, end), into);
                *position = end;
                Ok(length)
            }
        }
    }
}

impl Drop for ImageReader<'_> {
    fn drop(&mut self) {
        if let Self::Stream { reader, .. } = self {
            let _ = reader.cancel();
        }
    }
}

async fn read_stream(
    reader: &ReadableStreamByobReader,
    buffer: &mut Option<ArrayBuffer>,
    into: &mut [u8],
) -> Result<usize> {
    let transferred = buffer
        .take()
        .unwrap_or_else(|| ArrayBuffer::new(into.len() as u32));
    let view = Uint8Array::new_with_byte_offset_and_length(&transferred, 0, into.len() as u32);
    let result = await_promise(reader.read_with_array_buffer_view(&view)).await;
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

fn unreadable(thrown: JsValue) -> CallError {
    let reason = error_message(&thrown);
    CallError::unsupported_image(format!("image: the file cannot be read: {reason}"))
}

#[wasm_bindgen]
extern "C" {
    // `Uint8Array::copy_to` of js-sys asserts that the lengths are equal, with a formatted message.
    // This one throws a RangeError if `from` is longer.
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn set(to: &mut [u8], from: &Uint8Array);

    type ByteStream;
    /// Fails if the stream is not a byte stream.
    #[wasm_bindgen(method, js_name = getReader, catch)]
    fn byob_reader(
        this: &ByteStream,
        options: &ReadableStreamGetReaderOptions,
    ) -> core::result::Result<ReadableStreamByobReader, JsValue>;
}
