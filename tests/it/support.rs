//! What several of these tests need.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use eureka_sim::scenario::Files;
use flate2::read::MultiGzDecoder;

/// For scenarios that include nothing.
pub(crate) struct NoIncludes;

impl Files for NoIncludes {
    fn read(&self, path: &Path) -> Result<String, String> {
        Err(format!("{}: nothing is included here", path.display()))
    }
}

/// A file in memory, read while somebody else owns its other end.
#[derive(Clone, Default)]
pub(crate) struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().expect("no writer panicked");
        String::from_utf8(bytes.clone()).expect("what is written is text")
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of a `.gz` file.
pub(crate) fn unzipped(path: &Path) -> String {
    let mut text = String::new();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read = MultiGzDecoder::new(file).read_to_string(&mut text);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}
