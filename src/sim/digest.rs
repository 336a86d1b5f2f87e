//! The 128-bit digest over every fact of a run.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// Bytes gathered before they are hashed.
const CHUNK: usize = 4096;

/// A running digest (XXH3, 128 bits).
#[derive(Clone)]
pub struct Digest {
    hasher: Xxh3,
    buffer: Vec<u8>,
}

/// The digest of a run: equal for equal runs, on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestValue(u128);

impl Default for Digest {
    fn default() -> Self {
        Self { hasher: Xxh3::new(), buffer: Vec::with_capacity(2 * CHUNK) }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").finish_non_exhaustive()
    }
}

impl Digest {
    /// Begins a fact of this kind at this time (ns).
    #[inline]
    pub(super) fn fact(&mut self, kind: u8, at: u64) -> &mut Self {
        if self.buffer.len() >= CHUNK {
            self.hash();
        }
        self.buffer.push(kind);
        self.word(at)
    }

    #[cold]
    fn hash(&mut self) {
        self.hasher.update(&self.buffer);
        self.buffer.clear();
    }

    /// Adds a number.
    #[inline]
    pub(super) fn word(&mut self, word: u64) -> &mut Self {
        self.words([word])
    }

    /// Adds numbers.
    #[inline]
    pub(super) fn words<const N: usize>(&mut self, words: [u64; N]) -> &mut Self {
        self.buffer.extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
        self
    }

    /// The digest so far.
    #[must_use]
    pub fn value(&self) -> DigestValue {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.buffer);
        DigestValue(hasher.digest128())
    }
}

impl fmt::Display for DigestValue {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
