//! A tree whose texts are read once, however many ask for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Tree, TreeEntry, TreeError};

/// Bytes of one text that is kept: what is larger is data, which few ask for.
const MAX_BYTES: usize = 1 << 20;
/// Bytes of all texts that are kept: source of two million lines.
const MAX_TOTAL: usize = 64 << 20;

/// Another tree, the texts of which are kept. For as long as nobody writes: what was read once is what is given ever after.
pub struct KeptTexts<'t> {
    tree: &'t dyn Tree,
    /// `None` for what is no text.
    texts: RwLock<HashMap<String, Option<Arc<str>>>>,
    total: AtomicUsize,
}

impl<'t> KeptTexts<'t> {
    /// Keeps nothing yet.
    pub fn new(tree: &'t dyn Tree) -> KeptTexts<'t> {
        KeptTexts { tree, texts: RwLock::default(), total: AtomicUsize::new(0) }
    }
}

impl Tree for KeptTexts<'_> {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        self.tree.entries()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        self.tree.read(path)
    }

    fn text(&self, path: &str) -> Option<String> {
        let kept = self.texts.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(kept) = kept {
            return kept.map(|text| text.as_ref().to_owned());
        }
        let text = self.tree.text(path);
        let bytes = text.as_ref().map_or(0, String::len);
        if bytes <= MAX_BYTES && self.total.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_TOTAL {
            let kept = text.as_deref().map(Arc::from);
            self.texts.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), kept);
        }
        text
    }

    fn is_file(&self, path: &str) -> bool {
        self.tree.is_file(path)
    }

    fn is_left_out(&self, path: &str) -> bool {
        self.tree.is_left_out(path)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.tree.is_folder(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that is another each time, and how often it was asked for.
    struct Counting(AtomicUsize);

    impl Tree for Counting {
        fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
            Ok(Vec::new())
        }

        fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
            let time = self.0.fetch_add(1, Ordering::Relaxed);
            match path {
                "large" => Ok(vec![b' '; MAX_BYTES + 1]),
                "absent" => Err(TreeError::Missing { path: path.to_owned() }),
                _ => Ok(time.to_string().into_bytes()),
            }
        }
    }

    #[test]
    fn what_is_asked_for_again_is_not_read_again() {
        let inner = Counting(AtomicUsize::new(0));
        let tree = KeptTexts::new(&inner);
        assert_eq!([tree.text("a"), tree.text("b"), tree.text("a")].map(Option::unwrap_or_default), ["0", "1", "0"]);
        assert_eq!([tree.text("absent"), tree.text("absent")], [None, None]);
        assert_eq!(inner.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn data_is_not_kept() {
        let inner = Counting(AtomicUsize::new(0));
        let tree = KeptTexts::new(&inner);
        assert_eq!(
            [tree.text("large"), tree.text("large")].map(|text| text.map(|text| text.len())),
            [Some(MAX_BYTES + 1); 2]
        );
        assert_eq!(inner.0.load(Ordering::Relaxed), 2);
    }
}
