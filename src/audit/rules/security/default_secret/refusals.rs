//! Refusals: what speaks against a finding. The program asks where it runs, or does not start without the variable.

use crate::audit::place;
use crate::audit::rule::Ground;
use crate::audit::rules::security::default_secret::reads::places;
use crate::repo_map::FileRole;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::FileFacts;

/// Lines around a default in which a question about the environment belongs to it.
const AROUND: u32 = 8;

/// `if (production) throw …` beside it: somebody thought of where the default may be used.
pub fn asks_for_the_environment(lines: &[&str], line: u32) -> bool {
    const QUESTIONS: &[&str] =
        &["node_env", "production", "isprod", "is_prod", "isdev", "is_dev", "development", "debug_assertions"];
    let from = line.saturating_sub(AROUND + 1) as usize;
    let to = ((line + AROUND) as usize).min(lines.len());
    lines[from..to].iter().any(|text| {
        let text = text.to_ascii_lowercase().replace("??", "");
        // `env: process.env.NODE_ENV || 'development'` asks nothing.
        let asks = ["==", "if ", "if(", "? ", "cfg", "&&"].iter().any(|sign| text.contains(sign))
            || text.trim_end().ends_with('?');
        asks && QUESTIONS.iter().any(|question| text.contains(question))
    })
}

/// Whether anything refuses to go on without the variable, or asks whether it holds the default: `if (!process.env.JWT_SECRET) throw …`,
/// `requireEnv("JWT_SECRET")`, a list of variables that must be there.
pub fn is_demanded(ground: &Ground<'_>, variable: &str) -> bool {
    const DEMANDS: &[&str] =
        &["require", "must", "missing", "not set", "mandatory", "expect(", "getorthrow", "throw", "fatal", "ensure"];
    let production = ground.map.files.iter().filter(|source| source.role == FileRole::Production);
    production
        .filter(|source| {
            source.facts.references.iter().any(|name| name == variable) || mentions(&source.facts, variable)
        })
        .any(|source| {
            let text = ground.tree.text(&source.path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let mut named = (0..lines.len()).filter(|at| place::has_word(lines[*at], variable));
            named.any(|at| {
                let line = lines[at].to_ascii_lowercase();
                DEMANDS.iter().any(|word| line.contains(word)) || is_denied(lines[at], variable)
            })
        })
}

/// `!process.env.JWT_SECRET`, `!env.JWT_SECRET`.
fn is_denied(line: &str, variable: &str) -> bool {
    line.match_indices(variable).any(|(at, _)| {
        let before = line[..at]
            .trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '[' | '"' | '\'' | '('));
        before.ends_with('!')
    })
}

/// Whether a string of the file names the variable.
fn mentions(facts: &FileFacts, variable: &str) -> bool {
    let is_name = |value: &Expr| {
        let mut found = false;
        value.walk(&mut |inner| found |= matches!(inner, Expr::Text(text) if text.contains(variable)));
        found
    };
    places(facts).any(|place| is_name(place.value))
}
