//! Files in the user's cache folder: written whole or not at all, and never trusted without a look at every byte.

use std::io::{BufWriter, Write};
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// A file over this size is neither read nor written: the facts of about ten million lines.
const MAX_BYTES: usize = 512 << 20;

/// What [`put`] left in `file`, if it is of this kind and undamaged. `head` names the kind and its version.
pub(crate) fn get(file: &Path, head: &[u8]) -> Option<Vec<u8>> {
    Some(get_with_sum(file, head)?.1)
}

/// The same, with the sum of what stands in it, by which one file can say which other one it belongs to.
pub(crate) fn get_with_sum(file: &Path, head: &[u8]) -> Option<(u64, Vec<u8>)> {
    if std::fs::metadata(file).ok()?.len() > MAX_BYTES as u64 {
        return None;
    }
    let mut bytes = std::fs::read(file).ok()?;
    let start = bytes.len() - open(&bytes, head)?.len();
    let sum = bytes[..start].last_chunk().map(|sum| u64::from_le_bytes(*sum))?;
    bytes.drain(..start);
    Some((sum, bytes))
}

/// Puts `parts`, one after the other, into `file` at once: whoever reads meanwhile sees the old one or the new one. What is too
/// large is not kept.
pub(crate) fn put(file: &Path, head: &[u8], parts: &[&[u8]]) -> std::io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let Some(folder) = file.parent().filter(|_| length <= MAX_BYTES) else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    let mut sum = Xxh3::new();
    parts.iter().for_each(|part| sum.update(part));
    // Parts may be many and small.
    let mut temporary = BufWriter::with_capacity(1 << 16, tempfile::NamedTempFile::new_in(folder)?);
    for part in [head, &sum.digest().to_le_bytes()].iter().chain(parts) {
        temporary.write_all(part)?;
    }
    temporary.into_inner()?.persist(file)?;
    Ok(())
}

/// What stands in a file of this kind, if it is undamaged. The sum notices damage; malice is not its business, for whoever can
/// write the user's cache can write the user's files.
pub(crate) fn open<'a>(file: &'a [u8], head: &[u8]) -> Option<&'a [u8]> {
    let (expected, body) = file.strip_prefix(head)?.split_first_chunk()?;
    (xxh3_64(body) == u64::from_le_bytes(*expected)).then_some(body)
}
