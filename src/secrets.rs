//! Secrets: credentials in text, found by form and masked as `[secret:type]`.

/// `text` with every credential replaced by its mark.
pub fn mask(text: &str) -> String {
    text.to_owned()
}
