//! The command line of the bench.

use std::path::PathBuf;

/// What to type.
pub const USAGE: &str = "\
usage: cargo bench --bench audit_cases -- CASES.jsonl CLONES [options]

CLONES holds a clone of every repository of the cases, as `owner+name`, `owner/name` or `name`, bare or not. Nothing is checked out.

  --misses           each case that was missed and each finding the fix did not end, with what is known of why
  --case ID          this case alone; repeatable
  --rules A,B        run these rules alone (a rank is then one among theirs)
  --findings FILE    score the findings of another tool: JSON lines {repo, commit, path, line, rule}
  --json             one JSON object instead of tables";

/// What to score.
#[derive(Default)]
pub struct Arguments {
    /// The cases.
    pub cases: Option<PathBuf>,
    /// The folder of clones.
    pub clones: Option<PathBuf>,
    /// `--case`, empty for all.
    pub only: Vec<String>,
    /// `--rules`, empty for all.
    pub rules: Vec<String>,
    /// `--findings`.
    pub findings: Option<PathBuf>,
    /// `--misses`.
    pub misses: bool,
    /// `--json`.
    pub json: bool,
}

impl Arguments {
    /// Reads the command line, program name left out.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--bench" => {} // Cargo says it to every bench.
                "--misses" => arguments.misses = true,
                "--json" => arguments.json = true,
                "--case" => arguments.only.push(value()?),
                "--rules" => arguments.rules.extend(value()?.split(',').map(str::to_owned)),
                "--findings" => arguments.findings = Some(value()?.into()),
                option if option.starts_with('-') => return Err(format!("{option}: unknown\n{USAGE}")),
                path if arguments.cases.is_none() => arguments.cases = Some(path.into()),
                path if arguments.clones.is_none() => arguments.clones = Some(path.into()),
                path => return Err(format!("{path}: one file of cases and one folder of clones\n{USAGE}")),
            }
        }
        if arguments.cases.is_some() && arguments.clones.is_none() {
            return Err(format!("no folder of clones\n{USAGE}"));
        }
        Ok(arguments)
    }
}
