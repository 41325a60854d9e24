//! Cases: defects of public repositories, each with the commit that still has it and the commit that mended it.

use serde::Deserialize;

/// A defect that was mended.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its name in reports.
    pub id: String,
    /// `owner/name`.
    pub repo: String,
    /// The commit before the fix.
    pub parent: String,
    /// The commit of the fix.
    pub fix: String,
    /// What kind of defect it is, a word of [`crate::fits`].
    pub category: String,
    /// Where it can be seen at the parent.
    pub sites: Vec<Site>,
    /// Calls have to be followed from the place that is wrong to the one that shows it.
    #[serde(default)]
    pub interprocedural: bool,
}

/// A place where a defect can be seen.
#[derive(Debug, Deserialize)]
pub struct Site {
    /// Path at the parent.
    pub path: String,
    /// Line at the parent.
    pub line: u32,
    /// Whether the fix changed this place.
    #[serde(default = "yes")]
    pub touched_by_fix: bool,
}

fn yes() -> bool {
    true
}

/// One case a line; fields that are not known here are ignored.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))).collect()
}
