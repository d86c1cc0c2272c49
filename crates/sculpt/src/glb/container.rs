//! The JSON and the binary chunk of a GLB file.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::check::{GlbError, check_glb};

/// A GLB file in memory: its JSON, and the bytes of its buffer views.
pub struct Glb {
    /// The JSON chunk's object.
    pub json: Map<String, Value>,
    /// The binary chunk as it was read; empty if there is none.
    pub bin: Vec<u8>,
    /// New bytes of buffer views, by the views' indices: they count instead of those in `bin`.
    pub replaced: BTreeMap<usize, Vec<u8>>,
}

impl Glb {
    /// Reads a file. The content of the JSON is not validated.
    ///
    /// # Errors
    /// Fails if the bytes are not a whole GLB file, or its JSON is not an object.
    pub fn read(bytes: &[u8]) -> Result<Self, GlbError> {
        check_glb(bytes)?;
        let file = gltf::Glb::from_slice(bytes).map_err(GlbError::invalid)?;
        let json = serde_json::from_slice(&file.json).map_err(GlbError::invalid)?;
        Ok(Self {
            json,
            bin: file.bin.map(|bin| bin.into_owned()).unwrap_or_default(),
            replaced: BTreeMap::new(),
        })
    }

    /// Returns the items of one of the file's top-level arrays, such as `"meshes"`; none if there is
    /// no such array.
    pub fn list(&self, name: &str) -> &[Value] {
        let list = self.json.get(name).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// Returns the item that `object[name]` refers to by its index in the top-level array `list`.
    pub fn referenced<'a>(&'a self, object: &Value, name: &str, list: &str) -> Option<&'a Value> {
        self.list(list).get(index(object, name)?)
    }

    /// Returns the bytes of a buffer view; `None` if they are not in this file.
    pub fn view(&self, view: usize) -> Option<&[u8]> {
        if let Some(bytes) = self.replaced.get(&view) {
            return Some(bytes);
        }
        let view = self.list("bufferViews").get(view)?;
        // The binary chunk is the first buffer, and only if that has no URI.
        if index(view, "buffer")? != 0 || self.list("buffers").first()?.get("uri").is_some() {
            return None;
        }
        let from = index(view, "byteOffset").unwrap_or_default();
        self.bin
            .get(from..from.checked_add(index(view, "byteLength")?)?)
    }
}

/// Returns a field of an object that is an index, a count or an offset; `None` if it is missing or
/// not a whole number that is at least 0.
pub fn index(object: &Value, name: &str) -> Option<usize> {
    usize::try_from(object.get(name)?.as_u64()?).ok()
}

/// Returns an array of exactly `N` numbers; `default` if the value is anything else.
pub fn numbers<const N: usize>(value: &Value, default: [f64; N]) -> [f64; N] {
    let items = value.as_array().filter(|items| items.len() == N);
    let Some(items) = items else {
        return default;
    };
    std::array::from_fn(|at| items[at].as_f64().unwrap_or(default[at]))
}

/// Joins a JSON chunk and a binary chunk, which is left out if it is empty, to a GLB file.
///
/// # Errors
/// Fails if the file would be larger than its header can say: 4 GiB.
pub fn assemble(json: Vec<u8>, bin: Vec<u8>) -> Result<Vec<u8>, gltf::Error> {
    let file = gltf::Glb {
        header: gltf::binary::Header {
            magic: *b"glTF",
            version: 2,
            // Set by the writer.
            length: 0,
        },
        json: json.into(),
        bin: (!bin.is_empty()).then(|| bin.into()),
    };
    file.to_vec()
}
