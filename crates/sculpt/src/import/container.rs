//! Binary glTF as bytes and JSON, whatever extensions it uses.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Why bytes cannot be read as a binary glTF 2.0 file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlbError {
    /// The file ends early: the rest may still arrive.
    #[error("the model file is incomplete")]
    Truncated,
    /// The file has another format: its name with an article.
    #[error("the model file is {0}, not a GLB")]
    WrongFormat(&'static str),
    /// The file has this version of glTF, and not 2.
    #[error("the model file is glTF {0}: expected glTF 2")]
    Version(u32),
    /// There are this many bytes after the end that the header names.
    #[error("the model file has {0} bytes after its end")]
    TrailingBytes(usize),
    /// The file's chunks or its JSON are invalid, with the parser's message.
    #[error("the model file is not valid glTF: {0}")]
    Invalid(String),
}

/// Checks by the header alone whether bytes are a whole binary glTF 2.0 file.
///
/// # Errors
/// Returns [`GlbError::Truncated`] for the beginning of such a file, also for no bytes at all.
/// Fails if the bytes are in another format, of another version or longer than their header says.
pub fn check_glb(bytes: &[u8]) -> Result<(), GlbError> {
    let wrong = |format| Err(GlbError::WrongFormat(format));
    if bytes.starts_with(b"PK") {
        return wrong("a ZIP archive");
    }
    if bytes.starts_with(b"Kaydara") {
        return wrong("an FBX file");
    }
    if bytes.len() < 4 && b"glTF".starts_with(bytes) {
        return Err(GlbError::Truncated);
    }
    if !bytes.starts_with(b"glTF") {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]);
        let mut lines = start.lines();
        let obj = ["v ", "vn ", "vt ", "f ", "o ", "g ", "mtllib ", "# "];
        return match start.trim_start().chars().next() {
            Some('{') => wrong("JSON"),
            Some('<') => wrong("HTML or XML"),
            _ if lines.any(|line| obj.iter().any(|word| line.starts_with(word))) => {
                wrong("an OBJ file")
            }
            _ => wrong("in an unknown format"),
        };
    }
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    match (number(4), number(8).map(|length| length as usize)) {
        (Some(2), Some(length)) if length == bytes.len() => Ok(()),
        (Some(2), Some(length)) if length < bytes.len() => {
            Err(GlbError::TrailingBytes(bytes.len() - length))
        }
        (Some(2) | None, _) => Err(GlbError::Truncated),
        (Some(version), _) => Err(GlbError::Version(version)),
    }
}

/// A file under way: its JSON, and the bytes of each of its buffer views.
pub struct Glb {
    pub json: Map<String, Value>,
    /// The binary chunk as it was read.
    pub data: Vec<u8>,
    /// Buffer views that hold something else from now on.
    pub replaced: std::collections::BTreeMap<usize, Vec<u8>>,
}

impl Glb {
    pub fn read(bytes: &[u8]) -> Result<Self, GlbError> {
        check_glb(bytes)?;
        let file =
            gltf::Glb::from_slice(bytes).map_err(|error| GlbError::Invalid(error.to_string()))?;
        let json = serde_json::from_slice(&file.json)
            .map_err(|error| GlbError::Invalid(error.to_string()))?;
        Ok(Self {
            json,
            data: file.bin.map(|data| data.into_owned()).unwrap_or_default(),
            replaced: Default::default(),
        })
    }

    /// The items of one of the file's lists.
    pub fn list(&self, name: &str) -> &[Value] {
        let list = self.json.get(name).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    pub fn list_mut(&mut self, name: &str) -> &mut [Value] {
        let list = self.json.get_mut(name).and_then(Value::as_array_mut);
        list.map_or(&mut [], Vec::as_mut_slice)
    }

    /// Adds an item to one of the file's lists, and answers its place there.
    pub fn push(&mut self, name: &str, item: Value) -> usize {
        let list = self.json.entry(name).or_insert_with(|| json!([]));
        match list {
            Value::Array(list) => {
                list.push(item);
                list.len() - 1
            }
            _ => 0,
        }
    }

    /// Adds a buffer view with these bytes and further fields, and answers its index.
    pub fn add(&mut self, bytes: Vec<u8>, mut view: Value) -> usize {
        view["buffer"] = 0.into();
        view["byteLength"] = bytes.len().into();
        let index = self.push("bufferViews", view);
        self.replaced.insert(index, bytes);
        index
    }

    /// The bytes of a buffer view; nothing where they lie outside of the file.
    pub fn view(&self, index: usize) -> Option<&[u8]> {
        if let Some(bytes) = self.replaced.get(&index) {
            return Some(bytes);
        }
        let view = self.list("bufferViews").get(index)?;
        if number(view, "buffer")? != 0 || self.list("buffers").first()?.get("uri").is_some() {
            return None;
        }
        let from = number(view, "byteOffset").unwrap_or_default();
        self.data
            .get(from..from.checked_add(number(view, "byteLength")?)?)
    }

    /// The whole file. What no part of it refers to any more is left out, where every part of its
    /// layout is known.
    pub fn write(mut self) -> Result<Vec<u8>, GlbError> {
        if self.is_plain() {
            self.pack();
        } else if !self.replaced.is_empty() {
            self.append();
        }
        let bin = (!self.data.is_empty()).then_some(self.data.into());
        let json =
            serde_json::to_vec(&self.json).map_err(|error| GlbError::Invalid(error.to_string()))?;
        let file = gltf::Glb {
            header: gltf::binary::Header {
                magic: *b"glTF",
                version: 2,
                // The writer counts the bytes itself.
                length: 0,
            },
            json: json.into(),
            bin,
        };
        file.to_vec()
            .map_err(|error| GlbError::Invalid(error.to_string()))
    }

    /// Whether all data lies in the one chunk, as views without extensions of their own.
    fn is_plain(&self) -> bool {
        let views = self.list("bufferViews");
        self.list("buffers").len() <= 1
            && (0..views.len()).all(|index| self.view(index).is_some())
            && views.iter().all(|view| view.get("extensions").is_none())
    }

    /// Lays the views that something refers to one after the other.
    fn pack(&mut self) {
        let mut used = BTreeSet::new();
        for (name, value) in &self.json {
            if name != "bufferViews" {
                find_views(value, &mut used);
            }
        }
        let mut data = Vec::new();
        let mut views = Vec::new();
        for index in &used {
            let (Some(view), Some(bytes)) =
                (self.list("bufferViews").get(*index), self.view(*index))
            else {
                continue;
            };
            let mut view = view.clone();
            data.resize(data.len().next_multiple_of(4), 0);
            view["byteOffset"] = data.len().into();
            view["byteLength"] = bytes.len().into();
            data.extend_from_slice(bytes);
            views.push(view);
        }
        let used: Vec<usize> = used.into_iter().collect();
        for (name, value) in &mut self.json {
            if name != "bufferViews" {
                move_views(value, &used);
            }
        }
        self.set_data(data);
        if views.is_empty() {
            self.json.remove("bufferViews");
        } else {
            self.json.insert("bufferViews".into(), views.into());
        }
    }

    /// Puts the views that hold something else behind all the rest.
    fn append(&mut self) {
        let mut data = std::mem::take(&mut self.data);
        for (index, bytes) in std::mem::take(&mut self.replaced) {
            data.resize(data.len().next_multiple_of(4), 0);
            if let Some(view) = self.list_mut("bufferViews").get_mut(index) {
                view["byteOffset"] = data.len().into();
                view["byteLength"] = bytes.len().into();
                data.extend_from_slice(&bytes);
            }
        }
        self.set_data(data);
    }

    fn set_data(&mut self, mut data: Vec<u8>) {
        data.resize(data.len().next_multiple_of(4), 0);
        if data.is_empty() {
            self.json.remove("buffers");
        } else if let Some(buffer) = self.list_mut("buffers").first_mut() {
            buffer["byteLength"] = data.len().into();
        }
        self.data = data;
    }
}

/// A whole number of an object.
pub fn number(object: &Value, name: &str) -> Option<usize> {
    usize::try_from(object.get(name)?.as_u64()?).ok()
}

const VIEW: &str = "bufferView";

fn find_views(value: &Value, found: &mut BTreeSet<usize>) {
    match value {
        Value::Object(fields) => {
            found.extend(number(value, VIEW));
            fields.values().for_each(|value| find_views(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| find_views(value, found)),
        _ => {}
    }
}

/// `kept` are the views that are left, in their order.
fn move_views(value: &mut Value, kept: &[usize]) {
    if let Some(index) = number(value, VIEW)
        && let Ok(at) = kept.binary_search(&index)
    {
        value[VIEW] = at.into();
    }
    match value {
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| move_views(value, kept)),
        Value::Array(items) => items.iter_mut().for_each(|value| move_views(value, kept)),
        _ => {}
    }
}
