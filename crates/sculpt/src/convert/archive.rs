//! The archives that some formats are.

use std::io::{Cursor, Write as _};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A ZIP archive in memory.
pub struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Archive {
    pub fn new() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }

    /// Adds a file that is worth compressing.
    pub fn add_text(&mut self, name: &str, text: &str) -> ZipResult<()> {
        let method = CompressionMethod::Deflated;
        let options = SimpleFileOptions::default().compression_method(method);
        self.add(name, options, text.as_bytes())
    }

    /// Adds a file as it is, such as an image that is compressed already.
    pub fn add_stored(&mut self, name: &str, bytes: &[u8]) -> ZipResult<()> {
        self.add(name, stored(), bytes)
    }

    /// Adds a file as it is, whose bytes start at a multiple of `alignment`.
    pub fn add_aligned(&mut self, name: &str, alignment: u16, bytes: &[u8]) -> ZipResult<()> {
        self.add(name, stored().with_alignment(alignment), bytes)
    }

    fn add(&mut self, name: &str, options: SimpleFileOptions, bytes: &[u8]) -> ZipResult<()> {
        self.0.start_file(name, options)?;
        Ok(self.0.write_all(bytes)?)
    }

    /// Returns the archive's file.
    pub fn finish(self) -> ZipResult<Vec<u8>> {
        Ok(self.0.finish()?.into_inner())
    }
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}
