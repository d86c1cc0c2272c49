//! Edits a GLB file and writes it again, with everything in it that is unknown here.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::glb::{Glb, GlbError, assemble, index};

/// The field by which an object refers to a buffer view.
const VIEW: &str = "bufferView";

impl Glb {
    /// Returns the items of one of the file's top-level arrays; none if there is no such array.
    pub fn list_mut(&mut self, name: &str) -> &mut [Value] {
        let list = self.json.get_mut(name).and_then(Value::as_array_mut);
        list.map_or(&mut [], Vec::as_mut_slice)
    }

    /// Appends an item to one of the file's top-level arrays, and returns its index.
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

    /// Appends a buffer view of these bytes, with the further fields of `view`, and returns its
    /// index.
    pub fn push_view(&mut self, bytes: Vec<u8>, mut view: Value) -> usize {
        view["buffer"] = 0.into();
        view["byteLength"] = bytes.len().into();
        let index = self.push("bufferViews", view);
        self.replaced.insert(index, bytes);
        index
    }

    /// Replaces the bytes of a buffer view.
    pub fn replace_view(&mut self, view: usize, bytes: Vec<u8>) {
        self.replaced.insert(view, bytes);
    }

    /// Removes an extension from the lists of those that the file uses and requires.
    pub fn remove_extensions(&mut self, is_removed: impl Fn(&str) -> bool) {
        for list in ["extensionsUsed", "extensionsRequired"] {
            if let Some(Value::Array(names)) = self.json.get_mut(list) {
                names.retain(|name| !name.as_str().is_some_and(&is_removed));
                if names.is_empty() {
                    self.json.remove(list);
                }
            }
        }
    }

    /// Writes the file. Buffer views without a reference to them are left out, if the layout of all
    /// data is known.
    ///
    /// # Errors
    /// Fails if the file is larger than a GLB file can be: 4 GiB.
    pub fn write(mut self) -> Result<Vec<u8>, GlbError> {
        if self.has_known_layout() {
            self.pack();
        } else if !self.replaced.is_empty() {
            self.append();
        }
        let json = serde_json::to_vec(&self.json).map_err(GlbError::invalid)?;
        assemble(json, self.bin).map_err(GlbError::invalid)
    }

    /// Whether all data is in the binary chunk, in views without extensions of their own.
    fn has_known_layout(&self) -> bool {
        let views = self.list("bufferViews");
        self.list("buffers").len() <= 1
            && (0..views.len()).all(|view| self.view(view).is_some())
            && views.iter().all(|view| view.get("extensions").is_none())
    }

    /// Writes the views with a reference to them one after the other.
    fn pack(&mut self) {
        let mut used = BTreeSet::new();
        for (name, value) in &self.json {
            if name != "bufferViews" {
                find_views(value, &mut used);
            }
        }
        let mut bin = Vec::new();
        let mut views = Vec::new();
        for index in &used {
            let (Some(view), Some(bytes)) =
                (self.list("bufferViews").get(*index), self.view(*index))
            else {
                continue;
            };
            let mut view = view.clone();
            append_view(&mut bin, &mut view, bytes);
            views.push(view);
        }
        let used: Vec<usize> = used.into_iter().collect();
        for (name, value) in &mut self.json {
            if name != "bufferViews" {
                renumber_views(value, &used);
            }
        }
        self.set_bin(bin);
        if views.is_empty() {
            self.json.remove("bufferViews");
        } else {
            self.json.insert("bufferViews".into(), views.into());
        }
    }

    /// Writes the replaced views behind all other data.
    fn append(&mut self) {
        let mut bin = std::mem::take(&mut self.bin);
        for (index, bytes) in std::mem::take(&mut self.replaced) {
            if let Some(view) = self.list_mut("bufferViews").get_mut(index) {
                append_view(&mut bin, view, &bytes);
            }
        }
        self.set_bin(bin);
    }

    fn set_bin(&mut self, mut bin: Vec<u8>) {
        bin.resize(bin.len().next_multiple_of(4), 0);
        if bin.is_empty() {
            self.json.remove("buffers");
        } else if let Some(buffer) = self.list_mut("buffers").first_mut() {
            buffer["byteLength"] = bin.len().into();
        }
        self.bin = bin;
    }
}

/// Appends a view's bytes at the next multiple of 4, as glTF requires for any type of numbers.
fn append_view(bin: &mut Vec<u8>, view: &mut Value, bytes: &[u8]) {
    bin.resize(bin.len().next_multiple_of(4), 0);
    view["byteOffset"] = bin.len().into();
    view["byteLength"] = bytes.len().into();
    bin.extend_from_slice(bytes);
}

fn find_views(value: &Value, found: &mut BTreeSet<usize>) {
    match value {
        Value::Object(fields) => {
            found.extend(index(value, VIEW));
            fields.values().for_each(|value| find_views(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| find_views(value, found)),
        _ => {}
    }
}

/// Replaces all references to views. `kept` are the old indices of the views that are left, in
/// ascending order.
fn renumber_views(value: &mut Value, kept: &[usize]) {
    if let Some(view) = index(value, VIEW)
        && let Ok(at) = kept.binary_search(&view)
    {
        value[VIEW] = at.into();
    }
    match value {
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| renumber_views(value, kept)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|value| renumber_views(value, kept)),
        _ => {}
    }
}
