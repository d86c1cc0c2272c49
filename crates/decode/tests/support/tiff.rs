//! TIFF files, made entry by entry.

/// The value of an entry: numbers of 16 or 32 bits, or bytes.
#[derive(Clone)]
pub enum Value {
    Shorts(Vec<u16>),
    Longs(Vec<u32>),
    Bytes(Vec<u8>),
}

/// Returns an entry with one number of 16 bits.
pub fn short(tag: u16, value: u16) -> (u16, Value) {
    (tag, Value::Shorts(vec![value]))
}

/// Returns a little-endian file of one strip or tile. `entries`: those that differ from an image of
/// bytes in RGB, or come in addition.
pub fn tiff(size: [u16; 2], entries: &[(u16, Value)], data: &[u8]) -> Vec<u8> {
    let [width, height] = size;
    let mut all = vec![
        short(256, width),
        short(257, height),
        (258, Value::Shorts(vec![8, 8, 8])),
        short(259, 1),
        short(262, 2),
        (273, Value::Longs(vec![8])),
        short(277, 3),
        short(278, height),
        (279, Value::Longs(vec![data.len() as u32])),
    ];
    for (tag, value) in entries {
        all.retain(|(other, _)| other != tag);
        all.push((*tag, value.clone()));
    }
    all.sort_by_key(|(tag, _)| *tag);
    let mut data = data.to_vec();
    data.resize(data.len().next_multiple_of(2), 0);
    let directory = 8 + data.len();
    let mut behind = directory + 2 + 12 * all.len() + 4;
    let (mut table, mut values) = (Vec::new(), Vec::new());
    for (tag, value) in &all {
        let (kind, count, mut bytes): (u16, usize, Vec<u8>) = match value {
            Value::Shorts(numbers) => {
                let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
                (3, numbers.len(), bytes.collect())
            }
            Value::Longs(numbers) => {
                let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
                (4, numbers.len(), bytes.collect())
            }
            Value::Bytes(bytes) => (7, bytes.len(), bytes.clone()),
        };
        table.extend(tag.to_le_bytes());
        table.extend(kind.to_le_bytes());
        table.extend((count as u32).to_le_bytes());
        if bytes.len() > 4 {
            table.extend((behind as u32).to_le_bytes());
            behind += bytes.len();
            values.extend(bytes);
        } else {
            bytes.resize(4, 0);
            table.extend(bytes);
        }
    }
    [
        b"II\x2a\0",
        &(directory as u32).to_le_bytes()[..],
        &data,
        &(all.len() as u16).to_le_bytes(),
        &table,
        &[0; 4],
        &values,
    ]
    .concat()
}
