//! The container of AVIF files: ISO/IEC 14496-12 (boxes) and 23008-12 (items and their properties).
//!
//! `avif-parse` reads neither color profiles nor orientations, and no files of the major brand `mif1`.

use re_rav1d::dav1d::pixel::YUVRange;

/// A property of an item.
#[derive(Clone, Copy)]
struct Property<'a> {
    name: [u8; 4],
    data: &'a [u8],
}

/// An item of a file.
pub struct Item<'a> {
    /// The parts of its data, in their order.
    pub parts: Vec<&'a [u8]>,
    properties: Vec<Property<'a>>,
}

/// The images in a file.
pub struct Container<'a> {
    /// The image.
    pub color: Item<'a>,
    /// Its alpha channel.
    pub alpha: Option<Item<'a>>,
    /// Whether the colors have been multiplied with alpha.
    pub is_premultiplied: bool,
}

/// Why a container is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerError {
    /// It is damaged.
    Damaged,
    /// The image consists of other images.
    Derived,
    /// It holds an animation only.
    Animation,
}

/// The colors of an image: the codes of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodedColors {
    pub primaries: u16,
    pub transfer: u16,
    pub matrix: u16,
    pub range: YUVRange,
}

/// How an image is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// By a number of quarters, counterclockwise.
    Quarters(u8),
    /// Top and bottom are exchanged.
    TopBottom,
    /// Left and right are exchanged.
    LeftRight,
}

/// The size of the identifiers and counts in a box.
#[derive(Clone, Copy)]
enum IdSize {
    Bits16,
    Bits32,
}

impl IdSize {
    /// Returns the size in a `version` of a box whose identifiers have 32 bits since version `first`.
    fn since(first: u8, version: u8) -> Self {
        match version < first {
            true => Self::Bits16,
            false => Self::Bits32,
        }
    }
}

/// Items are identified by numbers of 32 bits.
type ItemId = u32;

/// Limits the number of items, which are searched one after the other.
const MAX_ITEMS: usize = 1000;

impl<'a> Container<'a> {
    /// Reads the boxes of a file.
    ///
    /// # Errors
    /// Fails if they are damaged, or if the image is a grid or an animation.
    pub fn read(file: &'a [u8]) -> Result<Self, ContainerError> {
        let Some(meta) = find(file, b"meta") else {
            let is_animation = find(file, b"moov").is_some();
            return Err(match is_animation {
                true => ContainerError::Animation,
                false => ContainerError::Damaged,
            });
        };
        let meta = meta.get(4..).ok_or(ContainerError::Damaged)?;
        Self::read_meta(file, meta).ok_or(ContainerError::Damaged)?
    }

    /// Returns `None` if the boxes are damaged.
    fn read_meta(file: &'a [u8], meta: &'a [u8]) -> Option<Result<Self, ContainerError>> {
        let mut primary = Reader::new(find(meta, b"pitm")?);
        let version = primary.version()?;
        let primary = primary.id(IdSize::since(1, version))?;
        let items = Items { file, meta };
        match &items.kind_of(primary)? {
            b"av01" => {}
            b"grid" | b"iovl" | b"iden" | b"tmap" => return Some(Err(ContainerError::Derived)),
            _ => return None,
        }
        let color = items.item(primary)?;
        let mut alpha = None;
        for id in items.references(b"auxl", primary) {
            let item = items.item(id)?;
            if item.is_alpha() {
                if &items.kind_of(id)? != b"av01" {
                    return Some(Err(ContainerError::Derived));
                }
                alpha = Some((id, item));
                break;
            }
        }
        let is_premultiplied = alpha
            .as_ref()
            .is_some_and(|(id, _)| items.targets(b"prem", primary).contains(id));
        Some(Ok(Self {
            color,
            alpha: alpha.map(|(_, item)| item),
            is_premultiplied,
        }))
    }
}

impl<'a> Item<'a> {
    fn property(&self, name: &[u8; 4]) -> Option<&'a [u8]> {
        let property = self.properties.iter().find(|each| each.name == *name);
        property.map(|property| property.data)
    }

    fn is_alpha(&self) -> bool {
        let names: [&[u8]; 2] = [
            b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
            b"urn:mpeg:hevc:2015:auxid:1\0",
        ];
        let name = self.property(b"auxC").and_then(|data| data.get(4..));
        name.is_some_and(|name| names.iter().any(|known| name.starts_with(known)))
    }

    /// Returns the width and height of the image, in pixels.
    pub fn size(&self) -> Option<(u32, u32)> {
        let mut reader = Reader::new(self.property(b"ispe")?);
        reader.version()?;
        Some((reader.u32()?, reader.u32()?))
    }

    /// Returns the number of samples for each pixel, multiplied by four, as the header of the codec
    /// declares it.
    pub fn quarters_of_samples(&self) -> u64 {
        const MONOCHROME: u8 = 1 << 4;
        const HALF_WIDTH: u8 = 1 << 3;
        const HALF_HEIGHT: u8 = 1 << 2;
        let flags = self.property(b"av1C").and_then(|header| header.get(2));
        match flags {
            Some(flags) if flags & MONOCHROME != 0 => 4,
            Some(flags) if flags & (HALF_WIDTH | HALF_HEIGHT) == HALF_WIDTH | HALF_HEIGHT => 6,
            Some(flags) if flags & HALF_WIDTH != 0 => 8,
            _ => 12,
        }
    }

    /// Returns the ICC profile.
    pub fn icc_profile(&self) -> Option<&'a [u8]> {
        self.colors()
            .find_map(|(kind, data)| matches!(kind, b"prof" | b"rICC").then_some(data))
    }

    /// Returns the colors that the container states.
    pub fn coded_colors(&self) -> Option<CodedColors> {
        let (_, data) = self.colors().find(|(kind, _)| *kind == b"nclx")?;
        let mut reader = Reader::new(data);
        Some(CodedColors {
            primaries: reader.u16()?,
            transfer: reader.u16()?,
            matrix: reader.u16()?,
            range: match reader.u8()? & 0x80 {
                0 => YUVRange::Limited,
                _ => YUVRange::Full,
            },
        })
    }

    fn colors(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let boxes = self.properties.iter().filter(|each| each.name == *b"colr");
        boxes.filter_map(|each| each.data.split_at_checked(4))
    }

    /// Returns how the image is turned, in the order of the steps.
    pub fn turns(&self) -> impl Iterator<Item = Turn> {
        self.properties.iter().filter_map(|property| {
            let value = property.data.first()?;
            match &property.name {
                b"irot" => Some(Turn::Quarters(value & 3)),
                b"imir" if value & 1 == 0 => Some(Turn::TopBottom),
                b"imir" => Some(Turn::LeftRight),
                _ => None,
            }
        })
    }

    /// Returns whether a part of the image is cut off.
    pub fn is_cropped(&self) -> bool {
        self.property(b"clap").is_some()
    }
}

/// The items of a file.
#[derive(Clone, Copy)]
struct Items<'a> {
    file: &'a [u8],
    meta: &'a [u8],
}

impl<'a> Items<'a> {
    fn item(self, id: ItemId) -> Option<Item<'a>> {
        Some(Item {
            parts: self.parts_of(id)?,
            properties: self.properties_of(id)?,
        })
    }

    fn kind_of(self, id: ItemId) -> Option<[u8; 4]> {
        let mut reader = Reader::new(find(self.meta, b"iinf")?);
        let version = reader.version()?;
        reader.id(IdSize::since(1, version))?;
        let entries = boxes(reader.rest).filter(|(name, _)| name == b"infe");
        entries.take(MAX_ITEMS).find_map(|(_, entry)| {
            let mut reader = Reader::new(entry);
            let version = reader.version()?;
            let entry = reader.id(IdSize::since(3, version))?;
            reader.u16()?;
            let kind = reader.take(4)?.try_into().ok()?;
            (entry == id).then_some(kind)
        })
    }

    fn parts_of(self, id: ItemId) -> Option<Vec<&'a [u8]>> {
        let mut reader = Reader::new(find(self.meta, b"iloc")?);
        let version = reader.version()?;
        let [sizes, more] = [reader.u8()?, reader.u8()?];
        let [offset_size, length_size] = [sizes >> 4, sizes & 15];
        let [base_size, index_size] = [more >> 4, if version == 0 { 0 } else { more & 15 }];
        let count = reader.id(IdSize::since(2, version))?;
        for _ in 0..count {
            let item = reader.id(IdSize::since(2, version))?;
            let is_in_box = match version {
                0 => false,
                _ => match reader.u16()? & 15 {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
            };
            // The file with the data: this one.
            let reference = reader.u16()?;
            let base = reader.number(base_size)?;
            let extents = reader.u16()?;
            let source = match is_in_box {
                true => find(self.meta, b"idat").unwrap_or_default(),
                false => self.file,
            };
            let mut parts = Vec::new();
            for _ in 0..extents {
                reader.number(index_size)?;
                let start = base.checked_add(reader.number(offset_size)?)?;
                let length = reader.number(length_size)?;
                if item == id {
                    let rest = source.get(usize::try_from(start).ok()?..)?;
                    let length = match length {
                        0 => rest.len(),
                        length => usize::try_from(length).ok()?,
                    };
                    parts.push(rest.get(..length)?);
                }
            }
            if item == id {
                // Parts may overlap, which would make the data longer than the file.
                let length: usize = parts.iter().map(|part| part.len()).sum();
                return (reference == 0 && length <= self.file.len()).then_some(parts);
            }
        }
        None
    }

    fn properties_of(self, id: ItemId) -> Option<Vec<Property<'a>>> {
        let properties = find(self.meta, b"iprp")?;
        let known: Vec<_> = boxes(find(properties, b"ipco")?).collect();
        let mut reader = Reader::new(find(properties, b"ipma")?);
        let flags = reader.u32()?;
        let ids = IdSize::since(1, (flags >> 24) as u8);
        let has_long_indices = flags & 1 != 0;
        let count = reader.u32()?;
        for _ in 0..count {
            let item = reader.id(ids)?;
            let associations = reader.u8()?;
            let mut found = Vec::new();
            for _ in 0..associations {
                let index = match has_long_indices {
                    true => usize::from(reader.u16()? & 0x7fff),
                    false => usize::from(reader.u8()? & 0x7f),
                };
                // Indices start at 1, and 0 is no property.
                if let Some((name, data)) = index.checked_sub(1).and_then(|at| known.get(at)) {
                    let name = *name;
                    found.push(Property { name, data });
                }
            }
            if item == id {
                return Some(found);
            }
        }
        None
    }

    /// Returns all references of a kind: the item that refers, and those that it refers to.
    fn all_references(self, kind: &'a [u8; 4]) -> Vec<(ItemId, Vec<ItemId>)> {
        let Some(references) = find(self.meta, b"iref") else {
            return Vec::new();
        };
        let mut reader = Reader::new(references);
        let Some(version) = reader.version() else {
            return Vec::new();
        };
        let entries = boxes(reader.rest).filter(|(name, _)| name == kind);
        let entries = entries.take(MAX_ITEMS).filter_map(|(_, entry)| {
            let mut reader = Reader::new(entry);
            let from = reader.id(IdSize::since(1, version))?;
            let count = reader.u16()?;
            let to = (0..count).map_while(|_| reader.id(IdSize::since(1, version)));
            Some((from, to.collect()))
        });
        entries.collect()
    }

    /// Returns the items that refer to an item.
    fn references(self, kind: &'a [u8; 4], to: ItemId) -> Vec<ItemId> {
        let all = self.all_references(kind).into_iter();
        let of_item = all.filter(|(_, targets)| targets.contains(&to));
        of_item.map(|(from, _)| from).collect()
    }

    /// Returns the items that an item refers to.
    fn targets(self, kind: &'a [u8; 4], from: ItemId) -> Vec<ItemId> {
        let all = self.all_references(kind).into_iter();
        all.filter(|(item, _)| *item == from)
            .flat_map(|(_, targets)| targets)
            .collect()
    }
}

/// Returns the content of the first box of a name.
fn find<'a>(data: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut boxes = boxes(data).filter(|(each, _)| each == name);
    boxes.next().map(|(_, content)| content)
}

/// Returns the names and contents of boxes, as far as they are complete.
fn boxes(data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut reader = Reader::new(data);
    std::iter::from_fn(move || {
        let size = reader.u32()?;
        let name = reader.take(4)?.try_into().ok()?;
        let length = match size {
            // To the end.
            0 => reader.rest.len() as u64,
            1 => reader.number(8)?.checked_sub(16)?,
            size => u64::from(size).checked_sub(8)?,
        };
        Some((name, reader.take(usize::try_from(length).ok()?)?))
    })
}

/// Reads numbers in big-endian order.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// Reads a number of a size in bytes.
    fn number(&mut self, size: u8) -> Option<u64> {
        let bytes = self.take(usize::from(size.min(8)))?;
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(bytes.iter().fold(0, append))
    }

    fn u8(&mut self) -> Option<u8> {
        self.number(1).map(|number| number as u8)
    }

    fn u16(&mut self) -> Option<u16> {
        self.number(2).map(|number| number as u16)
    }

    fn u32(&mut self) -> Option<u32> {
        self.number(4).map(|number| number as u32)
    }

    /// Reads an identifier or count.
    fn id(&mut self, size: IdSize) -> Option<ItemId> {
        match size {
            IdSize::Bits16 => self.u16().map(u32::from),
            IdSize::Bits32 => self.u32(),
        }
    }

    /// Reads the version of a box, and skips its flags.
    fn version(&mut self) -> Option<u8> {
        self.u32().map(|bits| (bits >> 24) as u8)
    }
}
