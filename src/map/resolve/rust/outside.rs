//! What lies outside the repository: a package and a path in it.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::repo_map::External;

/// Something in a package that is not of this repository. Cheap to clone: types are built of it by the thousand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Outside<'a> {
    /// The crate.
    pub package: &'a str,
    /// Names from its root.
    pub path: Path<'a>,
}

/// Names joined by `::`.
#[derive(Debug, Clone)]
pub(super) enum Path<'a> {
    /// What this program knows by itself.
    Fixed(&'static [&'static str]),
    /// What was read.
    Shared(Arc<[&'a str]>),
}

impl<'a> Deref for Path<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &[&'a str] {
        match self {
            Path::Fixed(names) => names,
            Path::Shared(names) => names,
        }
    }
}

impl PartialEq for Path<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Path<'_> {}

impl Hash for Path<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<'a> Outside<'a> {
    /// Something of the standard library.
    pub fn std(path: &'static [&'static str]) -> Self {
        Self { package: "std", path: Path::Fixed(path) }
    }

    /// The package itself.
    pub fn package(package: &'a str) -> Self {
        Self { package, path: Path::Fixed(&[]) }
    }

    /// Another path in the same package.
    pub fn at(&self, path: &[&'a str]) -> Self {
        Self { package: self.package, path: Path::Shared(path.into()) }
    }

    /// `name` in it.
    pub fn with(&self, name: &'a str) -> Self {
        let names = self.path.iter().copied().chain([name]).collect();
        Self { package: self.package, path: Path::Shared(names) }
    }

    /// `name` in it, as a link of a chain of calls: `query`, `bind`. A link that repeats is written once, and a long chain
    /// keeps its start and its end.
    pub fn linked(&self, name: &'a str) -> Self {
        if self.path.len() > 1 && self.path.last().is_some_and(|last| *last == name) {
            return self.clone();
        }
        let kept = if self.path.len() >= Self::MAX_PATH { self.path.len() - 1 } else { self.path.len() };
        let names = self.path[..kept].iter().copied().chain([name]).collect();
        Self { package: self.package, path: Path::Shared(names) }
    }

    /// Names on the path of an external call that are kept: longer chains say nothing more.
    pub const MAX_PATH: usize = 8;

    /// As the map writes it.
    pub fn to_external(&self) -> External {
        External { package: self.package.into(), path: self.path.iter().map(|&name| name.into()).collect() }
    }
}
