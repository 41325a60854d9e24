//! The word somebody probably meant.

/// The candidate closest to `word`, unless none is close: at most one edit for each three letters.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(nearest("secuirty", ["security", "perf"]), Some("security"));
        assert_eq!(nearest("banana", ["security", "perf"]), None);
        assert_eq!(nearest("", ["a"]), Some("a"));
    }
}
