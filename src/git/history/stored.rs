//! A walk kept in a file. What cannot be read whole and unchanged is as good as absent.
//!
//! Numbers are of variable length. Paths are sorted and name only
//! where they differ from the one before; touches are differences too: a few bytes for a path, about one for a touch.

use std::path::Path;

use super::HistoryLimits;
use super::touches::{Change, Id, Paths, Touches, Touching};
use crate::kept;

/// Changes with the format and with what is read from a commit.
const HEAD: &[u8] = b"improve-hist-v1\n";

/// Bytes of all paths written out: more than any repository has.
const MAX_PATH_BYTES: usize = 256 << 20;

/// The walk in `file`, if it is one of a repository whose commits begin at `roots`.
pub(super) fn load(file: &Path, roots: u64) -> Option<Touches> {
    decode(&kept::get(file, HEAD)?, roots)
}

/// Keeps the walk in `file`.
pub(super) fn save(file: &Path, touches: &Touches, roots: u64) -> std::io::Result<()> {
    kept::put(file, HEAD, &[&encode(touches, roots)])
}

pub(super) fn encode(touches: &Touches, roots: u64) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.0.extend_from_slice(&roots.to_le_bytes());
    out.0.extend_from_slice(&touches.head.0);
    let limits = touches.limits.unwrap_or_default();
    out.number(limits.commits as u64);
    out.signed(limits.age);
    out.number(touches.paths.len() as u64);
    let mut before: &[u8] = &[];
    for path in touches.paths.iter() {
        let shared = before.iter().zip(path).take_while(|(left, right)| left == right).count();
        out.number(shared as u64);
        out.bytes(&path[shared..]);
        before = path;
    }
    out.number(touches.authors.len() as u64);
    for author in &touches.authors {
        out.bytes(author);
    }
    out.number(touches.commits.len() as u64);
    for commit in &touches.commits {
        out.0.extend_from_slice(&commit.id.0);
        out.signed(commit.time);
        out.number(commit.parents.len() as u64);
        for parent in &commit.parents {
            out.0.extend_from_slice(&parent.0);
        }
        let Some(change) = &commit.change else {
            out.number(0);
            continue;
        };
        out.number(u64::from(change.author) + 1);
        out.number(change.touches.len() as u64);
        let mut before = 0;
        for &path in &touches.touches[change.touches.clone()] {
            out.number(u64::from(path - before));
            before = path;
        }
    }
    out.0
}

pub(super) fn decode(bytes: &[u8], roots: u64) -> Option<Touches> {
    let (found, rest) = bytes.split_first_chunk()?;
    if u64::from_le_bytes(*found) != roots {
        return None;
    }
    let mut input = Reader(rest);
    let head = input.id()?;
    let limits = HistoryLimits { commits: input.number()?.try_into().ok()?, age: input.signed()? };
    let paths = read_paths(&mut input)?;
    let authors = (0..input.count()?).map(|_| input.bytes().map(<[u8]>::to_vec)).collect::<Option<Vec<_>>>()?;
    let mut touches = Vec::new();
    let commits = input.count()?;
    let mut read = Vec::with_capacity(commits);
    for _ in 0..commits {
        let (id, time) = (input.id()?, input.signed()?);
        let parents = (0..input.count()?).map(|_| input.id()).collect::<Option<Vec<Id>>>()?;
        let change = match input.number()?.checked_sub(1) {
            None => None,
            Some(author) => {
                let author = u32::try_from(author).ok().filter(|&author| (author as usize) < authors.len())?;
                let start = touches.len();
                let mut path = 0_u64;
                for _ in 0..input.count()? {
                    path = path.checked_add(input.number()?).filter(|&path| path < paths.len() as u64)?;
                    touches.push(path as u32);
                }
                Some(Change { author, touches: start..touches.len() })
            }
        };
        read.push(Touching { id, time, parents, change });
    }
    input.0.is_empty().then_some(Touches { head, limits: Some(limits), paths, authors, commits: read, touches })
}

fn read_paths(input: &mut Reader<'_>) -> Option<Paths> {
    let mut paths = Paths::default();
    let mut start = 0;
    for _ in 0..input.count()? {
        let shared = usize::try_from(input.number()?).ok()?;
        let rest = input.bytes()?;
        let next = paths.bytes.len();
        let shared_end = start + shared;
        if shared > next - start || next + shared + rest.len() > MAX_PATH_BYTES {
            return None;
        }
        paths.bytes.extend_from_within(start..shared_end);
        paths.bytes.extend_from_slice(rest);
        paths.ends.push(paths.bytes.len() as u32);
        start = next;
    }
    Some(paths)
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Small numbers of either sign stay small.
    fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number of things to come. Each takes a byte at least: a larger number is a lie that must not cost memory.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|&count| count <= self.0.len())
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn id(&mut self) -> Option<Id> {
        let (id, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(Id(*id))
    }
}
