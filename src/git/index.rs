//! Git's index, read by hand: what is tracked, and what each file looked like when git last had it in its hands.
//!
//! libgit2 reads it too, but verifies a hash over megabytes each time and keeps to itself the one line that says whether
//! anything is staged. What is unusual (a split or sparse index, a conflict, another hash) is not read here: then libgit2 is asked.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::os;

/// The index as a file.
pub(super) struct Index {
    /// Sorted by path.
    pub entries: Vec<Tracked>,
    /// The tree that a commit of the index would have, if git noted it down and nothing was staged since.
    pub tree: Option<[u8; 20]>,
    /// Its hash of itself, if it has one.
    pub hash: Option<[u8; 20]>,
    /// When it was written, in seconds and nanoseconds: what changed no earlier may have changed unnoticed.
    pub written: (i64, i64),
}

/// A tracked file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tracked {
    pub path: String,
    /// As git writes it: `0o100644`, `0o100755`, a link, a submodule.
    pub mode: u32,
    pub id: [u8; 20],
    pub stat: Stat,
    /// The user promised not to change it, and git believes it.
    pub is_assumed: bool,
}

/// What the operating system said of a file, cut to 32 bits as the index keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub modified: (u32, u32),
    pub changed: (u32, u32),
    pub inode: u32,
    pub bytes: u32,
}

const EXTENDED: u16 = 0x4000;
const ASSUME_VALID: u16 = 0x8000;
const STAGE: u16 = 0x3000;
/// Bytes of an entry before its flags, and of the hash at the end of the file.
const FIXED: usize = 60;
const HASH: usize = 20;

impl Index {
    /// The index in `file`; `None` if it is absent or unusual.
    pub fn load(file: &Path) -> Option<Self> {
        let mut file = File::open(file).ok()?;
        let metadata = file.metadata().ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (entries, tree) = parse(&bytes)?;
        let hash = bytes.last_chunk().copied().filter(|hash| *hash != [0; HASH]);
        Some(Self { entries, tree, hash, written: os::stat(&metadata).modified })
    }
}

fn parse(bytes: &[u8]) -> Option<(Vec<Tracked>, Option<[u8; 20]>)> {
    let body = bytes.get(..bytes.len().checked_sub(HASH)?)?;
    let mut rest = body.strip_prefix(b"DIRC")?;
    let version = number(&mut rest)?;
    let count = number(&mut rest)? as usize;
    // An entry takes 62 bytes at least: a larger number must not cost memory.
    if !(2..=4).contains(&version) || count > rest.len() / (FIXED + 2) {
        return None;
    }
    let mut entries: Vec<Tracked> = Vec::with_capacity(count);
    let mut path = Vec::new();
    for _ in 0..count {
        let start = rest.len();
        let mut numbers = [0; 10];
        for value in &mut numbers {
            *value = number(&mut rest)?;
        }
        let [changed, changed_rest, modified, modified_rest, _device, inode, mode, _user, _group, size] = numbers;
        let (id, after) = rest.split_first_chunk()?;
        rest = after;
        let flags = short(&mut rest)?;
        // Sparse checkouts and files that are merely meant to be added have rules of their own; so have conflicts.
        if flags & STAGE != 0 || (flags & EXTENDED != 0 && short(&mut rest)? != 0) {
            return None;
        }
        if version == 4 {
            let keep = path.len().checked_sub(offset(&mut rest)?)?;
            path.truncate(keep);
        } else {
            path.clear();
        }
        let end = rest.iter().position(|&byte| byte == 0)?;
        path.extend_from_slice(&rest[..end]);
        let padded = if version == 4 { end + 1 } else { end + 8 - (start - rest.len() + end) % 8 };
        rest = rest.get(padded..)?;
        entries.push(Tracked {
            path: String::from_utf8(path.clone()).ok()?,
            mode,
            id: *id,
            stat: Stat { modified: (modified, modified_rest), changed: (changed, changed_rest), inode, bytes: size },
            is_assumed: flags & ASSUME_VALID != 0,
        });
    }
    let is_sorted = entries.is_sorted_by(|left, right| left.path < right.path);
    let mut tree = None;
    while !rest.is_empty() {
        let name = rest.split_off(..4)?;
        let length = number(&mut rest)? as usize;
        let content = rest.split_off(..length)?;
        match name {
            b"TREE" => tree = whole_tree(content),
            // An extension in lower case must be understood to understand the rest.
            _ if !name[0].is_ascii_uppercase() => return None,
            _ => {}
        }
    }
    is_sorted.then_some((entries, tree))
}

/// The id of the root in git's notes on trees: an empty name, how many entries (negative when out of date) and how many
/// folders, the id.
fn whole_tree(notes: &[u8]) -> Option<[u8; 20]> {
    let notes = notes.strip_prefix(b"\0")?;
    let line = notes.iter().position(|&byte| byte == b'\n')?;
    if notes.first() == Some(&b'-') {
        return None;
    }
    notes.get(line + 1..)?.first_chunk().copied()
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*bytes))
}

fn short(rest: &mut &[u8]) -> Option<u16> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u16::from_be_bytes(*bytes))
}

/// Git's number of variable length, each continuation one more than its bits say.
fn offset(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
        if byte < 0x80 {
            return Some(value);
        }
        value = value.checked_add(1)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange_to_be_refused(
            version in 0_u32..6, count in 0_u32..3, rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        ) {
            let head = [b"DIRC".as_slice(), &version.to_be_bytes(), &count.to_be_bytes()].concat();
            let _ = parse(&[head, rest.clone()].concat());
            let _ = parse(&rest);
            let _ = whole_tree(&rest);
        }
    }
}
