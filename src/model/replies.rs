//! Replies that were paid for, by what was asked: the same question costs nothing twice.
//!
//! The key is everything a server sees: its address, the wire, the body. What is kept is the body of the answer.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::kept;

/// Replies kept in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replies {
    folder: Option<PathBuf>,
}

/// Name of the folder in a repository's cache.
pub const FOLDER: &str = "replies";
/// First bytes of every file here; a new form gets a new number.
const HEAD: &[u8] = b"improve reply 1\n";

/// The key of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Key(String);

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Key, &'static str> {
        let is_sum = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_sum { Ok(Key(text)) } else { Err("64 hexadecimal digits") }
    }
}

impl Key {
    /// The key of a request. Whether the answer came in pieces makes no difference to it.
    pub fn of(url: &str, body: &Value) -> Key {
        let mut body = body.clone();
        if let Value::Object(fields) = &mut body {
            fields.remove("stream");
            fields.remove("stream_options");
        }
        let mut hash = Sha256::new();
        hash.update(url.as_bytes());
        hash.update([0]);
        hash.update(serde_json::to_vec(&body).expect("a body is JSON"));
        Key(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Replies {
    /// Those in [`FOLDER`] of `cache`.
    pub fn within(cache: &Path) -> Replies {
        Replies { folder: Some(cache.join(FOLDER)) }
    }

    /// None, and none are kept.
    pub fn nowhere() -> Replies {
        Replies { folder: None }
    }

    /// The body of the answer to a question that was asked before.
    pub fn get(&self, key: &Key) -> Option<Value> {
        let bytes = kept::get(&self.file(key)?, HEAD)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps the body of an answer. What cannot be kept is asked again some day: no reason to lose the answer now.
    pub fn put(&self, key: &Key, body: &Value) {
        let Some(file) = self.file(key) else { return };
        let bytes = serde_json::to_vec(body).expect("a body is JSON");
        let _ = kept::put(&file, HEAD, &[&bytes]);
    }

    fn file(&self, key: &Key) -> Option<PathBuf> {
        let (first, _) = key.0.split_at(2);
        Some(self.folder.as_ref()?.join(first).join(&key.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reply_comes_back_for_the_same_question_alone() {
        let folder = tempfile::tempdir().unwrap();
        let replies = Replies::within(folder.path());
        let key = Key::of("http://a", &json!({"model": "m", "stream": true}));
        assert_eq!(key, Key::of("http://a", &json!({"model": "m"})), "the same answer, in pieces or not");
        assert_ne!(key, Key::of("http://b", &json!({"model": "m"})));
        assert_eq!(replies.get(&key), None);
        replies.put(&key, &json!({"text": "yes"}));
        assert_eq!(replies.get(&key), Some(json!({"text": "yes"})));
        assert_eq!(replies.get(&Key::of("http://a", &json!({"model": "n"}))), None);
    }

    #[test]
    fn a_damaged_reply_is_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let replies = Replies::within(folder.path());
        let key = Key::of("http://a", &json!({}));
        replies.put(&key, &json!({"text": "yes"}));
        let file = replies.file(&key).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(replies.get(&key), None);
    }
}
