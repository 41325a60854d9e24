//! What calls and imports resolved to, kept for the next run.
//!
//! Over exactly the same sources and configuration the edges are those of the run before. Where only the contents of some files differ, the
//! edges come back with a trace of what each file's linking looked at (see [`super::resolve::ecmascript`]), so that little is linked
//! again. When a path or the configuration differs, everything is linked anew from facts.

use std::path::PathBuf;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
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
    /// A digest of the paths and the configuration.
    layout: u128,
    /// A digest of the content of each file.
    contents: Vec<u128>,
}

/// What is known from the run before.
pub(super) enum Known {
    /// Everything.
    All(Links),
    /// Everything as it was before these files changed.
    Before(Links, Vec<bool>),
}

/// The file, as it is written.
#[derive(Serialize, Deserialize)]
struct Kept {
    layout: u128,
    contents: Vec<u128>,
    /// Packed edges of [`CHUNK`] files each.
    chunks: Vec<Vec<u8>>,
    /// Packed traces.
    traces: Vec<u8>,
}

/// Edges of some files, parallel to them.
type Edges = (Vec<Vec<CallTarget>>, Vec<Vec<ImportTarget>>, Vec<Vec<Option<FileId>>>, Vec<Vec<Handed>>);

impl LinksCache {
    /// The cache beside `place` for exactly this input; `None` when there is no cache or a file's content is not known.
    pub fn new(place: Option<&CachePlace>, input: &LinkInput<'_>, remembered: &[Remembered]) -> Option<Self> {
        let file = place?.file.with_extension("links");
        let mut layout = Xxh3::new();
        let mut contents = Vec::with_capacity(input.files.len());
        let mut known = remembered.iter();
        for source in input.files {
            // Both are in order of path.
            contents.push(known.find(|known| known.path() == source.path)?.content());
            layout.update(source.path.as_bytes());
            layout.update(&[0]);
        }
        for (path, text) in input.config {
            layout.update(path.as_bytes());
            layout.update(&[0]);
            layout.update(&xxh3_128(text.as_bytes()).to_le_bytes());
        }
        Some(Self { file, layout: layout.digest128(), contents })
    }

    /// What is kept of a run over the same paths and configuration.
    pub fn load(&self, input: &LinkInput<'_>) -> Option<Known> {
        let kept: Kept = postcard::from_bytes(&kept::get(&self.file, HEAD)?).ok()?;
        if kept.layout != self.layout || kept.contents.len() != self.contents.len() {
            return None;
        }
        let changed: Vec<bool> = kept.contents.iter().zip(&self.contents).map(|(kept, now)| kept != now).collect();
        let edges: Option<Vec<Edges>> = kept.chunks.par_iter().map(|chunk| unpack(chunk)).collect();
        let mut links = Links::default();
        for (targets, import_targets, reexport_targets, handed) in edges? {
            links.targets.extend(targets);
            links.import_targets.extend(import_targets);
            links.reexport_targets.extend(reexport_targets);
            links.handed.extend(handed);
        }
        let count = input.files.len();
        let counts =
            [links.targets.len(), links.import_targets.len(), links.reexport_targets.len(), links.handed.len()];
        let fits = counts.iter().all(|&own| own == count);
        let modules = links.import_targets.iter().zip(&links.reexport_targets);
        let each = input.files.iter().zip(&changed).zip(links.targets.iter().zip(modules));
        let all_fit = || {
            each.clone().all(|((file, changed), (targets, (imports, reexports)))| {
                let counts = [file.facts.calls.len(), file.facts.imports.len(), file.facts.exports.len()];
                *changed || counts == [targets.len(), imports.len(), reexports.len()]
            })
        };
        if !fits || !all_fit() {
            return None;
        }
        if !changed.contains(&true) {
            return Some(Known::All(links));
        }
        links.traces = unpack(&kept.traces)?;
        Some(Known::Before(links, changed))
    }

    /// Keeps `links`.
    pub fn save(self, links: &Links) -> std::io::Result<()> {
        let chunks = || {
            links
                .targets
                .par_chunks(CHUNK)
                .zip(links.import_targets.par_chunks(CHUNK))
                .zip(links.reexport_targets.par_chunks(CHUNK))
                .zip(links.handed.par_chunks(CHUNK))
                .map(|(((targets, imports), reexports), handed)| pack(&(targets, imports, reexports, handed)))
                .collect::<std::io::Result<Vec<Vec<u8>>>>()
        };
        let (chunks, traces) = rayon::join(chunks, || pack(&links.traces));
        let kept = Kept { layout: self.layout, contents: self.contents, chunks: chunks?, traces: traces? };
        kept::put(&self.file, HEAD, &[&postcard::to_stdvec(&kept).map_err(std::io::Error::other)?])
    }
}

/// The kind of file and the build that wrote it.
const HEAD: &[u8] = concat!("improve-links-3\n", env!("IMPROVE_FACTS_FINGERPRINT")).as_bytes();

fn pack<T: Serialize>(value: &T) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    table::pack(value, &mut plain).map_err(std::io::Error::other)?;
    Ok(lz4_flex::compress_prepend_size(&plain))
}

fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    table::unpack(&lz4_flex::decompress_size_prepended(packed).ok()?).ok()
}
