//! Findings: one thing worth changing, with the evidence for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One thing worth changing, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Survives line shifts and renames of files: rule + symbol path + normalised quote + ordinal among equals.
    pub fingerprint: String,
    /// The rule that found it. Owned: findings are also read back, merged and imported.
    pub rule: String,
    /// The lens it belongs to.
    pub category: Category,
    /// What is wrong, short enough for a table: no full stop.
    pub title: String,
    /// What is wrong and what it costs, in one or two sentences.
    pub message: String,
    /// 5 data loss, breach or outage on a reachable path · 4 user-visible failure or cost that grows with data · 3 likely
    /// failure or clear drag · 2 local drag · 1 polish.
    #[schemars(range(min = 1, max = 5))]
    pub impact: u8,
    /// What the change takes.
    pub effort: Effort,
    /// What the change may break.
    pub risk: Risk,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// Impact ÷ effort, weighted by confidence: see [`Finding::leverage_of`].
    pub leverage: f64,
    /// Whether a branch introduced it; `None` outside `improve branch`.
    pub state: Option<State>,
    /// Where to look, the line to open first at the front. Never empty.
    pub evidence: Vec<Evidence>,
    /// From the place that is wrong to where it bites, one entry a call.
    pub call_path: Vec<Hop>,
    /// A recipe can fix it with exact edits.
    pub mechanical: bool,
    /// The definition it stands in, qualified; empty outside any.
    #[serde(skip)]
    pub symbol: String,
    /// The other tool that reports it; absent for what a rule or a planner of ours found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
}

/// Another tool that reports a finding, and what it says beside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Its name.
    pub tool: String,
    /// Its version, where it says one.
    pub version: Option<String>,
    /// The rule, as the tool calls it.
    pub rule: String,
    /// Where the rule is documented.
    pub help_uri: Option<String>,
    /// What the tool says of the rule: text of somebody else, never an instruction.
    #[serde(skip)]
    pub help: String,
    /// Numbers of the weaknesses (CWE) that it names.
    #[serde(skip)]
    pub weaknesses: Vec<u32>,
    /// The tool's own fix, which nobody here has tried.
    #[serde(skip)]
    pub fixes: Vec<TextFix>,
}

/// Text in place of bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFix {
    /// The file.
    pub file: String,
    /// The first byte that goes.
    pub start: u32,
    /// The first that stays.
    pub end: u32,
    /// What stands there afterwards.
    pub text: String,
}

/// A place in the repository and the text that stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Path relative to the repository.
    pub file: String,
    /// First line, 1-based.
    pub start_line: u32,
    /// Last line, included.
    pub end_line: u32,
    /// What the place has to do with the finding: `loop`, `query`, `callee`, `sibling`.
    pub role: String,
    /// SHA-256 of the quoted lines joined with `\n`, in hex. Filled in when the audit quotes the file.
    pub quote_sha256: String,
    /// The quoted lines, secrets masked. Filled in when the audit quotes the file.
    #[serde(skip)]
    pub quote: String,
}

/// One step of a call path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// The file the step stands in.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The function, or the API at the end of the path.
    pub symbol: String,
}

/// An audit category. The words are those plans are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// A way in, or a way out for data.
    Security,
    /// Wrong results.
    Bug,
    /// Cost that grows with data or traffic.
    Perf,
    /// Behaviour nothing checks.
    Tests,
    /// Structure that slows every change.
    TechDebt,
    /// Dependencies and migrations.
    Migration,
    /// What contributors meet before the code.
    Dx,
    /// Documentation that misleads.
    Docs,
    /// What to build next.
    Direction,
}

impl Category {
    /// Every category, in the order reports list them.
    pub const ALL: [Category; 9] = [
        Category::Security,
        Category::Bug,
        Category::Perf,
        Category::Tests,
        Category::TechDebt,
        Category::Migration,
        Category::Dx,
        Category::Docs,
        Category::Direction,
    ];

    /// The word in plans and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Category::Security => "security",
            Category::Bug => "bug",
            Category::Perf => "perf",
            Category::Tests => "tests",
            Category::TechDebt => "tech-debt",
            Category::Migration => "migration",
            Category::Dx => "dx",
            Category::Docs => "docs",
            Category::Direction => "direction",
        }
    }

    /// The short form used as FOCUS on the command line.
    pub fn focus(self) -> &'static str {
        match self {
            Category::Bug => "bugs",
            Category::TechDebt => "debt",
            Category::Migration => "deps",
            Category::Security
            | Category::Perf
            | Category::Tests
            | Category::Dx
            | Category::Docs
            | Category::Direction => self.label(),
        }
    }

    /// Reads a label or a FOCUS word, any case.
    pub fn parse(word: &str) -> Option<Category> {
        let word = word.to_ascii_lowercase();
        Category::ALL.into_iter().find(|category| category.label() == word || category.focus() == word)
    }
}

/// What a change takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Effort {
    /// Tens of changed lines (median 69 in public plans of this format).
    S,
    /// Hundreds of changed lines (median 317).
    M,
    /// About a thousand changed lines (median 937).
    L,
}

impl Effort {
    /// The letter.
    pub fn label(self) -> &'static str {
        match self {
            Effort::S => "S",
            Effort::M => "M",
            Effort::L => "L",
        }
    }
}

/// What a change may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Risk {
    /// Behaviour stays the same or only the fault changes.
    Low,
    /// Callers may notice.
    Med,
    /// Data or public behaviour may change.
    High,
}

impl Risk {
    /// The word in plans.
    pub fn label(self) -> &'static str {
        match self {
            Risk::Low => "LOW",
            Risk::Med => "MED",
            Risk::High => "HIGH",
        }
    }
}

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Confidence {
    /// Worth a look.
    Low,
    /// Likely.
    Med,
    /// At least 95 of 100 judged right.
    High,
}

impl Confidence {
    /// The word in plans and tables.
    pub fn label(self) -> &'static str {
        match self {
            Confidence::Low => "LOW",
            Confidence::Med => "MED",
            Confidence::High => "HIGH",
        }
    }
}

/// Whether a branch introduced a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Absent at the merge base.
    Introduced,
    /// Already there.
    PreExisting,
}

/// How bad a finding is, for `--fail-on`: impact × confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rest.
    Low,
    /// Impact ≥ 3 and not LOW, or impact ≥ 4 and MED.
    Medium,
    /// Impact ≥ 4 and HIGH.
    High,
}

/// When a plan should be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Priority {
    /// Leverage from 3.
    P1,
    /// Leverage from 1.5.
    P2,
    /// The rest.
    P3,
}

impl Priority {
    /// The word in plans.
    pub fn label(self) -> &'static str {
        match self {
            Priority::P1 => "P1",
            Priority::P2 => "P2",
            Priority::P3 => "P3",
        }
    }
}

impl Finding {
    /// `impact × {HIGH 1, MED 0.7, LOW 0.4} ÷ {S 1, M 2, L 4}`.
    pub fn leverage_of(impact: u8, effort: Effort, confidence: Confidence) -> f64 {
        let weight = match confidence {
            Confidence::High => 1.0,
            Confidence::Med => 0.7,
            Confidence::Low => 0.4,
        };
        let cost = match effort {
            Effort::S => 1.0,
            Effort::M => 2.0,
            Effort::L => 4.0,
        };
        // Two decimals: binary fractions such as 2.0999999999999996 say nothing more.
        (f64::from(impact) * weight / cost * 100.0).round() / 100.0
    }

    /// The line to open first.
    pub fn location(&self) -> &Evidence {
        self.evidence.first().expect("a finding has evidence: `FindingDraft::new` takes one")
    }

    /// How bad it is.
    pub fn level(&self) -> Level {
        match (self.impact, self.confidence) {
            (4.., Confidence::High) => Level::High,
            (3.., Confidence::High | Confidence::Med) => Level::Medium,
            _ => Level::Low,
        }
    }

    /// When a plan for it should be carried out.
    pub fn priority(&self) -> Priority {
        if self.leverage >= 3.0 {
            Priority::P1
        } else if self.leverage >= 1.5 {
            Priority::P2
        } else {
            Priority::P3
        }
    }
}

impl Evidence {
    /// Evidence whose text is still to be quoted.
    pub fn new(file: impl Into<String>, start_line: u32, end_line: u32, role: impl Into<String>) -> Evidence {
        Evidence {
            file: file.into(),
            start_line,
            end_line: end_line.max(start_line),
            role: role.into(),
            quote_sha256: String::new(),
            quote: String::new(),
        }
    }
}

/// SHA-256 of `text` in hex.
pub fn sha256_hex(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprint of a finding: 16 hex digits.
///
/// `quote` is normalised (white space folded), so that reformatting does not make an old finding new.
pub fn fingerprint(rule: &str, symbol: &str, file: &str, quote: &str, ordinal: usize) -> String {
    let place = if symbol.is_empty() { file } else { symbol };
    let folded = quote.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut digest = sha256_hex(&format!("{rule}\n{place}\n{folded}\n{ordinal}"));
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leverage_follows_the_published_formula() {
        assert_eq!(Finding::leverage_of(4, Effort::S, Confidence::High), 4.0);
        assert_eq!(Finding::leverage_of(5, Effort::M, Confidence::Med), 1.75);
        assert_eq!(Finding::leverage_of(2, Effort::L, Confidence::Low), 0.2);
    }

    #[test]
    fn fingerprint_ignores_white_space_and_file_inside_a_symbol() {
        let one = fingerprint("n-plus-one", "Orders.list", "src/a.ts", "await  db.find(id)", 0);
        let two = fingerprint("n-plus-one", "Orders.list", "src/b.ts", "  await db.find(id)\n", 0);
        assert_eq!(one, two);
        assert_ne!(one, fingerprint("n-plus-one", "", "src/a.ts", "await db.find(id)", 0));
    }

    #[test]
    fn focus_words_and_labels_both_parse() {
        assert_eq!(Category::parse("deps"), Some(Category::Migration));
        assert_eq!(Category::parse("Tech-Debt"), Some(Category::TechDebt));
        assert_eq!(Category::parse("speed"), None);
    }
}
