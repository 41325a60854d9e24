//! Two trees compared by hand, as git stores them, skipping what is equal.
//!
//! libgit2's own tree diff expands unchanged folders and is 5 to 40 times slower; line counts, which cost more still, are not
//! needed for a count of touches.

use std::cmp::Ordering;
use std::rc::Rc;

use git2::{Odb, Oid};
use rustc_hash::FxHashMap;

use super::touches::Id;

/// Trees as they are stored, those read of late kept: what a commit left is what the next one changed.
#[derive(Default)]
pub(super) struct Trees {
    kept: FxHashMap<Id, Rc<[u8]>>,
    bytes: usize,
}

/// Bytes of trees that are kept: those of hundreds of commits on 700,000 lines. Our choice.
const MAX_KEPT: usize = 4 << 20;

impl Trees {
    fn read(&mut self, odb: &Odb<'_>, id: Oid) -> Result<Rc<[u8]>, git2::Error> {
        if let Some(tree) = self.kept.get(&id.into()) {
            return Ok(Rc::clone(tree));
        }
        let tree: Rc<[u8]> = odb.read(id)?.data().into();
        if self.bytes > MAX_KEPT {
            self.kept.clear();
            self.bytes = 0;
        }
        self.bytes += tree.len();
        self.kept.insert(id.into(), Rc::clone(&tree));
        Ok(tree)
    }
}

/// Calls `visit` with each file of `after` that `before` does not have in the same form.
pub(super) fn touched(
    odb: &Odb<'_>,
    trees: &mut Trees,
    before: Option<Oid>,
    after: Oid,
    path: &mut Vec<u8>,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<(), git2::Error> {
    let (before, after) = (before.map(|before| trees.read(odb, before)).transpose()?, trees.read(odb, after)?);
    let mut old = Entries(before.as_deref().unwrap_or_default());
    let mut new = Entries(&after);
    while let Some(entry) = new.next()? {
        if let Some(rest) = old.0.strip_prefix(entry.whole) {
            old.0 = rest;
            continue;
        }
        let mut same_name = None;
        // Both lists are in git's order; what stands before `entry` was deleted.
        while let Some(candidate) = Entries(old.0).next()? {
            let order = git_order(&candidate, &entry);
            if order == Ordering::Greater {
                break;
            }
            old.0 = &old.0[candidate.whole.len()..];
            if order == Ordering::Equal {
                same_name = Some(candidate);
                break;
            }
        }
        if same_name.as_ref().is_some_and(|old| old.whole == entry.whole) {
            continue;
        }
        let length = path.len();
        path.extend_from_slice(entry.name);
        match entry.kind() {
            Kind::File => visit(path),
            Kind::Folder => {
                path.push(b'/');
                // What has the same name in git's order is a folder too.
                touched(odb, trees, same_name.map(|old| old.id), entry.id, path, visit)?;
            }
            Kind::Submodule => {}
        }
        path.truncate(length);
    }
    Ok(())
}

/// What is left of a tree: for each entry its mode in octal, a space, its name, a zero, and 20 bytes of id.
struct Entries<'a>(&'a [u8]);

struct Entry<'a> {
    whole: &'a [u8],
    mode: &'a [u8],
    name: &'a [u8],
    id: Oid,
}

#[derive(PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Submodule,
}

impl<'a> Entries<'a> {
    fn next(&mut self) -> Result<Option<Entry<'a>>, git2::Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let entry = Entry::first(self.0).ok_or_else(|| git2::Error::from_str("a damaged tree"))?;
        self.0 = &self.0[entry.whole.len()..];
        Ok(Some(entry))
    }
}

impl<'a> Entry<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let space = bytes.iter().take(8).position(|&byte| byte == b' ')?;
        let name = bytes[space + 1..].split(|&byte| byte == 0).next()?;
        let start = space + name.len() + 2;
        let id = Oid::from_bytes(bytes.get(start..start + 20)?).ok()?;
        Some(Self { whole: &bytes[..start + 20], mode: &bytes[..space], name, id })
    }

    fn kind(&self) -> Kind {
        match self.mode {
            b"40000" | b"040000" => Kind::Folder,
            b"160000" => Kind::Submodule,
            _ => Kind::File,
        }
    }
}

/// The order of entries in a git tree: by bytes, a folder as if its name ended in `/`.
fn git_order(left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    let common = left.name.len().min(right.name.len());
    let next = |entry: &Entry<'_>| match entry.name.get(common) {
        Some(byte) => *byte,
        None if entry.kind() == Kind::Folder => b'/',
        None => 0,
    };
    let same = || left.name.len().cmp(&right.name.len());
    left.name[..common].cmp(&right.name[..common]).then_with(|| next(left).cmp(&next(right))).then_with(same)
}
