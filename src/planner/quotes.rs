//! Quotes: what a model says stands in a file is looked up in the file.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::tree::Tree;

/// Lines of a file, by a model's word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Quote {
    /// Path relative to the repository.
    pub file: String,
    /// The first line, 1-based.
    pub line: u32,
    /// The lines as they stand there, without numbers.
    pub text: String,
}

/// Shorter text stands everywhere and proves nothing.
const SHORTEST: usize = 4;

/// The line at which the quote really stands, the nearest one to where it was said to; or why it counts for nothing.
///
/// Space at both ends of a line does not matter: models drop it. Everything else does. A masked credential matches whatever
/// stands in its place, since the model never saw it.
pub fn check(quote: &Quote, tree: &dyn Tree) -> Result<u32, String> {
    let wanted: Vec<&str> = quote.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if wanted.iter().map(|line| line.len()).sum::<usize>() < SHORTEST {
        return Err("it quotes nothing".to_owned());
    }
    let Some(text) = tree.text(&quote.file) else { return Err(format!("there is no file `{}`", quote.file)) };
    let text = crate::secrets::of_files::masked(&quote.file, &text);
    // Blank lines come and go in what models quote.
    let lines: Vec<(u32, &str)> = (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    lines
        .windows(wanted.len())
        .filter(|window| window.iter().zip(&wanted).all(|((_, line), wanted)| line == wanted))
        .map(|window| window[0].0)
        .min_by_key(|line| line.abs_diff(quote.line))
        .ok_or_else(|| format!("it does not stand in {}", quote.file))
}
