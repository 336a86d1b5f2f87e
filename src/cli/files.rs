//! Files: scenarios and traces read, reports written so that none is ever half there.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::read::MultiGzDecoder;

use super::exit::Exit;
use crate::scenario::Files;

/// Largest scenario file, in bytes.
const LARGEST_SCENARIO: u64 = 16 << 20;

/// Why a file is not read, and the exit code that goes with it.
pub(super) struct Unreadable {
    pub(super) reason: String,
    pub(super) exit: Exit,
}

/// The text of a scenario file.
pub(super) fn read_scenario(path: &Path) -> Result<String, Unreadable> {
    let bad = |reason: &str| Unreadable { reason: reason.to_owned(), exit: Exit::BadInput };
    let io = |error: io::Error| Unreadable { reason: describe(&error), exit: Exit::Io };
    let metadata = fs::metadata(path).map_err(io)?;
    if metadata.is_dir() {
        return Err(bad("this is a folder: a scenario is a TOML file"));
    }
    if metadata.len() > LARGEST_SCENARIO {
        return Err(bad("larger than 16 MiB: this is no scenario file"));
    }
    let mut bytes = Vec::new();
    // A pipe or device has no length; it is read up to the same limit.
    let mut limited = File::open(path).map_err(io)?.take(LARGEST_SCENARIO + 1);
    limited.read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LARGEST_SCENARIO {
        return Err(bad("larger than 16 MiB: this is no scenario file"));
    }
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| bad("not UTF-8 text: a scenario is a TOML file"))?;
    if text.contains('\0') {
        return Err(bad("this is a binary file: a scenario is a TOML file"));
    }
    Ok(text)
}

/// Files on disk, for scenarios that include others.
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<String, String> {
        read_scenario(path).map_err(|unreadable| unreadable.reason)
    }
}

/// A trace, decompressed if its name ends in `.gz`.
pub(super) fn open_trace(path: &Path) -> io::Result<BufReader<Box<dyn Read>>> {
    let file = File::open(path)?;
    let compressed = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read> = if compressed {
        Box::new(MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    Ok(BufReader::new(reader))
}

/// What an I/O error says, without "os error" numbers where words will do.
pub(super) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}

/// The folders of files under way, for whoever ends the process before they are complete.
static STAGED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Number of the next of them.
static NEXT: AtomicUsize = AtomicUsize::new(0);

fn staged() -> MutexGuard<'static, Vec<PathBuf>> {
    STAGED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether files are under way.
pub(super) fn is_writing() -> bool {
    !staged().is_empty()
}

/// Ends the process and leaves no file half written. No other can be begun meanwhile.
pub(super) fn exit_without_leftovers(exit: Exit) -> ! {
    let folders = staged();
    for folder in &*folders {
        let _ = fs::remove_dir_all(folder);
    }
    std::process::exit(exit as i32)
}

/// What the names of such folders begin with.
const UNFINISHED: &str = ".unfinished-";

/// Files are written under other names and get their own when all are complete.
pub(super) struct Staged {
    folder: PathBuf,
    staging: PathBuf,
    names: Vec<String>,
    /// Folders that had to be made, the innermost first.
    made: Vec<PathBuf>,
}

impl Staged {
    /// A place for files that will stand in `folder`. Fails at once if nothing can be written there.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let mut under_way = staged();
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let made = folder.ancestors().take_while(missing).map(Path::to_path_buf).collect();
        // Both the report and the traces of a run may stand in one folder.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let staging = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let place = Self {
            folder: folder.to_path_buf(),
            staging: staging.clone(),
            names: Vec::new(),
            made,
        };
        let begun = fs::create_dir_all(folder).and_then(|()| {
            // Of an earlier process with this number, that was killed.
            let _ = fs::remove_dir_all(&staging);
            fs::create_dir(&staging)
        });
        under_way.push(staging);
        // Dropped on failure: that takes the lock too.
        drop(under_way);
        begun.map(|()| place)
    }

    /// A place for one file alone.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::new(folder.unwrap_or(Path::new(".")))
    }

    /// Writes that file, which is called as in `path`.
    pub(super) fn write_alone(mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        self.write(name, bytes)?;
        self.finish(&[])
    }

    /// Removes what processes that were killed have left in the folder: nobody else is at work there.
    pub(super) fn clean(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let is_staging = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
            if is_staging && entry.path() != self.staging {
                // What cannot be removed is in nobody's way.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Begins a file.
    pub(super) fn create(&mut self, name: &str) -> io::Result<Box<dyn Write>> {
        let file = File::create(self.staging.join(name))?;
        self.names.push(name.to_owned());
        Ok(Box::new(BufWriter::new(file)))
    }

    /// Where files are begun, for somebody else to begin them.
    pub(super) fn staging(&self) -> &Path {
        &self.staging
    }

    /// A file that somebody else has begun.
    pub(super) fn add(&mut self, name: String) {
        self.names.push(name);
    }

    /// Writes a whole file.
    pub(super) fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.create(name)?;
        file.write_all(bytes)?;
        file.flush()
    }

    /// All files are complete: each takes its place. Of `others`, those that were not written now are
    /// removed, so that files of different runs do not stand side by side.
    pub(super) fn finish(self, others: &[String]) -> io::Result<()> {
        // Files can be replaced, folders cannot; found out half way, old and new would be mixed.
        if self.names.iter().any(|name| self.folder.join(name).is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        for name in &self.names {
            fs::rename(self.staging.join(name), self.folder.join(name))?;
        }
        for other in others.iter().filter(|other| !self.names.contains(other)) {
            let other = self.folder.join(other);
            match fs::remove_file(&other) {
                // A folder of that name is nobody's file.
                Err(error) if error.kind() != io::ErrorKind::NotFound && !other.is_dir() => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Staged {
    /// What is not finished is removed.
    fn drop(&mut self) {
        let mut under_way = staged();
        let _ = fs::remove_dir_all(&self.staging);
        // Folders that were made for nothing go too.
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
        under_way.retain(|staging| *staging != self.staging);
    }
}
