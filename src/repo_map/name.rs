//! Text of the source, kept once however often it occurs.
//!
//! A repository says the same names over and over: a map of 650,000 lines holds some five million strings, of which one in twenty is
//! distinct. A [`Name`] is a pointer to the one copy, so it is copied and compared as a number and costs nothing to drop. The copies
//! live as long as the program: it maps one repository and ends.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::LazyLock;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ustr::Ustr;
use xxhash_rust::xxh3::xxh3_64;

pub mod table;

/// Text kept once. Equal names are one pointer; the order is that of the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name(Ustr);

/// Names a thread met last, so that the common ones need no lock and no walk through a large table.
const RECENT: usize = 1 << 15;

thread_local! {
    static LAST_MET: RefCell<Vec<Option<Name>>> = RefCell::new(vec![None; RECENT]);
}

impl Name {
    /// The name of `text`.
    pub fn new(text: &str) -> Self {
        let place = xxh3_64(text.as_bytes()) as usize % RECENT;
        LAST_MET.with_borrow_mut(|met| match met[place] {
            Some(name) if name.as_str() == text => name,
            _ => *met[place].insert(Name(Ustr::from(text))),
        })
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &'static str {
        self.0.as_str()
    }
}

/// The texts of `names` with `separator` between them.
pub fn joined(names: &[Name], separator: &str) -> String {
    let texts: Vec<&str> = names.iter().map(Name::as_str).collect();
    texts.join(separator)
}

impl Default for Name {
    fn default() -> Self {
        static EMPTY: LazyLock<Name> = LazyLock::new(|| Name::new(""));
        *EMPTY
    }
}

impl Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Name {
    #[inline]
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Hash for Name {
    /// Of the pointer: what is hashed by name must not be looked up by text.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.as_str().as_ptr() as usize);
    }
}

impl Ord for Name {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}

impl PartialOrd for Name {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq<str> for Name {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Name {
    #[inline]
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Name> for str {
    #[inline]
    fn eq(&self, other: &Name) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Name> for &str {
    #[inline]
    fn eq(&self, other: &Name) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<Name> for String {
    #[inline]
    fn eq(&self, other: &Name) -> bool {
        self == other.as_str()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Name::new(text)
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Name::new(text)
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Self {
        *name
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Name::new(&text)
    }
}

impl From<Cow<'_, str>> for Name {
    fn from(text: Cow<'_, str>) -> Self {
        Name::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl From<Name> for &'static str {
    fn from(name: Name) -> Self {
        name.as_str()
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match table::number_of(*self) {
            Some(number) => serializer.serialize_u32(number),
            None => serializer.serialize_str(self.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if table::is_open() {
            let number = u32::deserialize(deserializer)?;
            table::numbered(number).ok_or_else(|| D::Error::custom("a number beyond the table of names"))
        } else {
            deserializer.deserialize_str(Text)
        }
    }
}

/// Reads a name without making a `String` first.
struct Text;

impl Visitor<'_> for Text {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
        Ok(Name::new(text))
    }
}

/// The last part of a path with slashes.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The words of a name: `signatureToken`, `signature_token` and `SIGNATURE_TOKEN` are `signature`, `token`.
pub fn words(name: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            found.push(String::new());
        }
        if c.is_alphanumeric() {
            found.last_mut().expect("starts with one word").extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase() || c.is_numeric();
    }
    found.retain(|word| !word.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_text_is_one_name() {
        let parts = ["ord", "ers"].concat();
        assert_eq!(Name::new("orders").as_ptr(), Name::from(parts).as_ptr());
        assert_ne!(Name::new("orders"), Name::new("order"));
    }

    #[test]
    fn names_sort_like_their_text() {
        let mut names = ["b", "", "ab", "a"].map(Name::new);
        names.sort();
        assert_eq!(names, ["", "a", "ab", "b"]);
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words("signatureToken"), ["signature", "token"]);
        assert_eq!(words("API_KEY"), ["api", "key"]);
        assert_eq!(words("x-hub-signature256"), ["x", "hub", "signature256"]);
        assert_eq!(words(""), Vec::<String>::new());
    }
}
