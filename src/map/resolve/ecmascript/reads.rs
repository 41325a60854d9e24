//! The world as one file's linking sees it, with a record of all that was looked at.
//!
//! **Invariant:** linking reads other files through here alone, so that it gives the same again whenever what is recorded is the same.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::exports::{Exported, Found, Space};
use super::scope::Scope;
use super::world::{Subtypes, World};
use crate::repo_map::facts::FileFacts;
use crate::repo_map::{FileId, ImportTarget, SymbolId};

/// The world, watched.
pub(super) struct Reads<'a, 'w> {
    world: &'w World<'a>,
    subtypes: Option<&'w Subtypes>,
    /// A bit for each file.
    files: Vec<Cell<u64>>,
    questions: RefCell<FxHashSet<u32>>,
    bases: RefCell<BTreeSet<SymbolId>>,
}

/// What was looked at, each list in order; questions by their number in this world.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub files: Vec<FileId>,
    pub questions: Vec<u32>,
    pub bases: Vec<SymbolId>,
}

impl<'a, 'w> Reads<'a, 'w> {
    /// Nothing has been read so far. Without `subtypes` nothing builds on anything.
    pub fn new(world: &'w World<'a>, subtypes: Option<&'w Subtypes>) -> Self {
        Self {
            world,
            subtypes,
            files: vec![Cell::new(0); world.files.len().div_ceil(64)],
            questions: RefCell::default(),
            bases: RefCell::default(),
        }
    }

    fn touch(&self, file: FileId) {
        let bits = &self.files[file as usize / 64];
        bits.set(bits.get() | 1 << (file % 64));
    }

    /// What stands in `file`.
    pub fn facts(&self, file: FileId) -> &'a FileFacts {
        self.touch(file);
        &self.world.files[file as usize].facts
    }

    /// Names within `file`.
    pub fn scope(&self, file: FileId) -> &'w Scope<'a> {
        self.touch(file);
        self.world.scope(file)
    }

    /// What `specifier` means in `file`.
    pub fn module(&self, file: FileId, specifier: &str) -> &'w ImportTarget {
        self.touch(file);
        self.world.module(file, specifier)
    }

    /// What `name` exported by `file` stands for, and whether another module was passed on the way.
    pub fn export(&self, file: FileId, name: &str, space: Space) -> Option<Found<'a>> {
        let (number, found) = self.world.export(file, name, space);
        self.questions.borrow_mut().insert(number);
        match found {
            // Whoever knows the place of something knows the file.
            Some((Exported::Definition(file, _) | Exported::Value(file, _), _)) => self.touch(file),
            Some((Exported::Namespace(_) | Exported::External(..), _)) | None => {}
        }
        found
    }

    /// Classes that build on `base`.
    pub fn subtypes(&self, base: SymbolId) -> &'w [SymbolId] {
        self.bases.borrow_mut().insert(base);
        self.subtypes.and_then(|subtypes| subtypes.get(&base)).map_or(&[], Vec::as_slice)
    }

    /// What was looked at.
    pub fn seen(self) -> Seen {
        let mut files = Vec::new();
        for (word, bits) in (0..).zip(&self.files) {
            let mut bits = bits.get();
            while bits != 0 {
                files.push(word * 64 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        let mut questions: Vec<u32> = self.questions.into_inner().into_iter().collect();
        questions.sort_unstable();
        Seen { files, questions, bases: self.bases.into_inner().into_iter().collect() }
    }
}
