//! Files in the user's cache folder: written whole or not at all, and never trusted without a look at every byte.

use std::io::Write;
use std::path::Path;

/// A file over this size is neither read nor written.
pub(super) const MAX_BYTES: u64 = 64 << 20;
/// What a file begins with: its kind and version.
pub(super) type Head = [u8; 16];

/// What [`put`] left in `file`, if it is of this kind and undamaged.
pub(super) fn get(file: &Path, head: &Head) -> Option<Vec<u8>> {
    if std::fs::metadata(file).ok()?.len() > MAX_BYTES {
        return None;
    }
    open(&std::fs::read(file).ok()?, head).map(<[u8]>::to_vec)
}

/// Puts `body` into `file` at once: whoever reads meanwhile sees the old one or the new one.
pub(super) fn put(file: &Path, head: &Head, body: &[u8]) -> std::io::Result<()> {
    let Some(folder) = file.parent().filter(|_| body.len() as u64 <= MAX_BYTES) else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&seal(head, body))?;
    temporary.persist(file)?;
    Ok(())
}

pub(super) fn seal(head: &Head, body: &[u8]) -> Vec<u8> {
    [head.as_slice(), &sum(body).to_le_bytes(), body].concat()
}

pub(super) fn open<'a>(file: &'a [u8], head: &Head) -> Option<&'a [u8]> {
    let (expected, body) = file.strip_prefix(head)?.split_first_chunk()?;
    (sum(body) == u64::from_le_bytes(*expected)).then_some(body)
}

/// A sum that notices damage; malice is not its business, for whoever can write the user's cache can write the user's files.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| (sum.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut chunks = bytes.chunks_exact(8);
    let mut sum = bytes.len() as u64;
    for chunk in &mut chunks {
        sum = mix(sum, chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)));
    }
    let last = chunks.remainder().iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let sum = mix(sum, last);
    sum ^ sum >> 29
}
