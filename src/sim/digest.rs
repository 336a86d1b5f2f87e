//! The 128-bit digest over every fact of a run.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// Bytes gathered before they are hashed.
const CHUNK: usize = 4096;

/// A running digest (XXH3, 128 bits).
#[derive(Clone)]
pub struct Digest {
    hasher: Xxh3,
    buffer: Box<[u8; CHUNK]>,
    /// How much of it is in use.
    gathered: usize,
}

/// The digest of a run: equal for equal runs, on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestValue(u128);

impl Default for Digest {
    fn default() -> Self {
        Self { hasher: Xxh3::new(), buffer: Box::new([0; CHUNK]), gathered: 0 }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").finish_non_exhaustive()
    }
}

impl Digest {
    /// Begins a fact of this kind at this time (ns).
    #[inline(always)]
    pub(super) fn fact(&mut self, kind: u8, at: u64) -> &mut Self {
        self.bytes([kind]).word(at)
    }

    /// Adds a number.
    #[inline(always)]
    pub(super) fn word(&mut self, word: u64) -> &mut Self {
        self.bytes(word.to_le_bytes())
    }

    #[inline(always)]
    fn bytes<const N: usize>(&mut self, bytes: [u8; N]) -> &mut Self {
        if self.buffer.len() - self.gathered < N {
            self.hash();
        }
        self.buffer[self.gathered..self.gathered + N].copy_from_slice(&bytes);
        self.gathered += N;
        self
    }

    #[cold]
    fn hash(&mut self) {
        self.hasher.update(&self.buffer[..self.gathered]);
        self.gathered = 0;
    }

    /// The digest so far.
    #[must_use]
    pub fn value(&self) -> DigestValue {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.buffer[..self.gathered]);
        DigestValue(hasher.digest128())
    }
}

impl fmt::Display for DigestValue {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
