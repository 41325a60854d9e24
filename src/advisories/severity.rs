//! How bad a fault is: from a word, or from a CVSS vector.

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Low.
    Low,
    /// Moderate.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word of a GitHub advisory.
    pub fn of_word(word: &str) -> Option<Severity> {
        match word.to_ascii_uppercase().as_str() {
            "LOW" => Some(Severity::Low),
            "MODERATE" | "MEDIUM" => Some(Severity::Medium),
            "HIGH" => Some(Severity::High),
            "CRITICAL" => Some(Severity::Critical),
            _ => None,
        }
    }

    /// From a CVSS vector (versions 3 and 4), by what the parts say rather than by the score: a full loss that anybody can cause over
    /// the network is critical when secrets or data are lost, and high when the service is; a full loss under conditions is medium,
    /// and what remains is low. Our choice: it differs from the score by at most one word.
    pub fn of_vector(vector: &str) -> Option<Severity> {
        let part = |key: &str| vector.split('/').find_map(|part| part.strip_prefix(key)?.strip_prefix(':'));
        let loses = |old: &str, new: &str| part(new).or_else(|| part(old)).map(|value| value == "H");
        let (secrets, data, service) = (loses("C", "VC")?, loses("I", "VI")?, loses("A", "VA")?);
        let open = part("AV") == Some("N") && part("PR") == Some("N") && part("AC") == Some("L");
        let alone = part("UI") == Some("N");
        Some(match (secrets || data, service) {
            (true, _) if open && alone => Severity::Critical,
            (true, _) => Severity::High,
            (false, true) if open => Severity::High,
            (false, true) => Severity::Medium,
            (false, false) if open => Severity::Medium,
            (false, false) => Severity::Low,
        })
    }

    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_and_words_are_read() {
        let of = Severity::of_vector;
        assert_eq!(of("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), Some(Severity::Critical));
        assert_eq!(of("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), Some(Severity::High));
        assert_eq!(of("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), Some(Severity::Medium));
        assert_eq!(of("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"), Some(Severity::Medium));
        assert_eq!(of("nonsense"), None);
        assert_eq!(Severity::of_word("moderate"), Some(Severity::Medium));
    }
}
