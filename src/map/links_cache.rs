//! What calls and imports resolved to, kept for the next run over exactly the same sources.
//!
//! Edges depend on every file at once, so they are kept as a whole or not at all: under a digest of all that linking reads (paths and
//! contents of the source files, the text of the configuration, the build that linked). When one byte of it differs, everything
//! is linked anew from facts.

use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::facts_cache::{CachePlace, Remembered};
use super::resolve::{LinkInput, Links};
use crate::kept;
use crate::repo_map::name::table;
use crate::repo_map::{CallTarget, FileId, Handed, ImportTarget};

/// Files whose edges are packed together, so that several threads can unpack. Our choice.
const CHUNK: usize = 256;

/// Edges of the last run, by what they were made from.
pub(super) struct LinksCache {
    file: PathBuf,
    digest: u128,
}

/// The file, as it is written.
#[derive(Serialize, Deserialize)]
struct Kept {
    digest: u128,
    /// Packed edges of [`CHUNK`] files each.
    chunks: Vec<Vec<u8>>,
}

/// Edges of some files, parallel to them.
type Edges = (Vec<Vec<CallTarget>>, Vec<Vec<ImportTarget>>, Vec<Vec<Option<FileId>>>, Vec<Vec<Handed>>);

impl LinksCache {
    /// The cache beside `place` for exactly this input; `None` when there is no cache or a file's content is not known.
    pub fn new(place: Option<&CachePlace>, input: &LinkInput<'_>, remembered: &[Remembered]) -> Option<Self> {
        let file = place?.file.with_extension("links");
        let mut digest = Xxh3::new();
        let mut known = remembered.iter();
        for source in input.files {
            // Both are in order of path.
            let content = known.find(|known| known.path() == source.path)?.content();
            digest.update(source.path.as_bytes());
            digest.update(&[0]);
            digest.update(&content.to_le_bytes());
        }
        for (path, text) in input.config {
            digest.update(path.as_bytes());
            digest.update(&[0]);
            digest.update(&xxh3_128(text.as_bytes()).to_le_bytes());
        }
        Some(Self { file, digest: digest.digest128() })
    }

    /// The edges, if they were made from the same input.
    pub fn load(&self, input: &LinkInput<'_>) -> Option<Links> {
        let kept: Kept = postcard::from_bytes(&kept::get(&self.file, HEAD)?).ok()?;
        if kept.digest != self.digest {
            return None;
        }
        let edges: Option<Vec<Edges>> = kept.chunks.par_iter().map(|chunk| unpack(chunk)).collect();
        let mut links =
            Links { targets: Vec::new(), import_targets: Vec::new(), reexport_targets: Vec::new(), handed: Vec::new() };
        for (targets, import_targets, reexport_targets, handed) in edges? {
            links.targets.extend(targets);
            links.import_targets.extend(import_targets);
            links.reexport_targets.extend(reexport_targets);
            links.handed.extend(handed);
        }
        let fits = links.targets.len() == input.files.len()
            && links.import_targets.len() == input.files.len()
            && links.handed.len() == input.files.len()
            && input.files.iter().zip(&links.targets).all(|(file, targets)| file.facts.calls.len() == targets.len())
            && input
                .files
                .iter()
                .zip(&links.import_targets)
                .all(|(file, targets)| file.facts.imports.len() == targets.len())
            && links.reexport_targets.len() == input.files.len()
            && input
                .files
                .iter()
                .zip(&links.reexport_targets)
                .all(|(file, targets)| file.facts.exports.len() == targets.len());
        fits.then_some(links)
    }

    /// Keeps `links`.
    pub fn save(&self, links: &Links) -> std::io::Result<()> {
        let chunks = links
            .targets
            .par_chunks(CHUNK)
            .zip(links.import_targets.par_chunks(CHUNK))
            .zip(links.reexport_targets.par_chunks(CHUNK))
            .zip(links.handed.par_chunks(CHUNK))
            .map(|(((targets, import_targets), reexport_targets), handed)| {
                let mut plain = Vec::new();
                table::pack(&(targets, import_targets, reexport_targets, handed), &mut plain)
                    .map_err(std::io::Error::other)?;
                Ok(lz4_flex::compress_prepend_size(&plain))
            })
            .collect::<std::io::Result<Vec<Vec<u8>>>>()?;
        let body = postcard::to_stdvec(&Kept { digest: self.digest, chunks }).map_err(std::io::Error::other)?;
        kept::put(&self.file, HEAD, &[&body])
    }
}

/// The kind of file and the build that wrote it.
const HEAD: &[u8] = concat!("improve-links-2\n", env!("IMPROVE_FACTS_FINGERPRINT")).as_bytes();

fn unpack(chunk: &[u8]) -> Option<Edges> {
    table::unpack(&lz4_flex::decompress_size_prepended(chunk).ok()?).ok()
}
