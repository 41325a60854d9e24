//! Files that are replaced as a whole and belong to one build.

use std::io::Write;
use std::path::Path;

/// A file over this size is neither read nor written: the facts of about ten million lines.
const MAX_BYTES: usize = 512 << 20;
/// Changes with everything that decides what is kept: the build script makes it.
const BUILD: &[u8] = env!("IMPROVE_FACTS_FINGERPRINT").as_bytes();

/// What [`write`] of the same build put into `file`.
pub(in crate::map) fn read(file: &Path, kind: &[u8; 16]) -> Option<Vec<u8>> {
    if std::fs::metadata(file).ok()?.len() > MAX_BYTES as u64 {
        return None;
    }
    let mut bytes = std::fs::read(file).ok()?;
    let rest = bytes.strip_prefix(kind)?.strip_prefix(BUILD)?;
    let (length, rest) = rest.split_first_chunk()?;
    if u64::from_le_bytes(*length) != rest.len() as u64 {
        return None;
    }
    let head = bytes.len() - rest.len();
    bytes.drain(..head);
    Some(bytes)
}

/// Puts `parts` into `file` at once: whoever reads meanwhile sees the old one or the new one. What is too large is not kept.
pub(in crate::map) fn write(file: &Path, kind: &[u8; 16], parts: &[&[u8]]) -> std::io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length > MAX_BYTES {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    for part in [kind.as_slice(), BUILD, &(length as u64).to_le_bytes()].iter().chain(parts) {
        temporary.write_all(part)?;
    }
    temporary.persist(file)?;
    Ok(())
}
