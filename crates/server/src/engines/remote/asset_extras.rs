//! Removes what an exporter has written about itself into a GLB: ComfyUI's `SaveGLB` writes the whole
//! workflow of its owner into `asset.extras`.

use serde_json::Value;

/// The sizes of the file's header and of a chunk's.
const FILE_HEADER: usize = 12;
const CHUNK_HEADER: usize = 8;

/// Returns the file without `asset.extras`. Returns a file that has none, or is not a GLB, unchanged.
pub fn without_asset_extras(file: Vec<u8>) -> Vec<u8> {
    stripped(&file).unwrap_or(file)
}

fn stripped(file: &[u8]) -> Option<Vec<u8>> {
    let length = file.get(FILE_HEADER..FILE_HEADER + 4)?.try_into().ok()?;
    let length = u32::from_le_bytes(length) as usize;
    let start = FILE_HEADER + CHUNK_HEADER;
    let end = start.checked_add(length)?;
    let mut json: Value = serde_json::from_slice(file.get(start..end)?).ok()?;
    json.get_mut("asset")?.as_object_mut()?.remove("extras")?;
    let mut text = json.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(4), b' ');
    let rest = file.get(end..)?;
    let size = u32::try_from(start + text.len() + rest.len()).ok()?;
    let mut result = file.get(..8)?.to_vec();
    result.extend(size.to_le_bytes());
    result.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
    result.extend(b"JSON");
    result.extend(text);
    result.extend(rest);
    Some(result)
}
