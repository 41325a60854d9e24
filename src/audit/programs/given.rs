//! Command lines: which program one starts, and which flags and subcommand it gives.

use super::Program;

/// The words behind the name of the program in a command line that starts it, with that name as it is written; `None` when the
/// line starts another.
fn arguments_given<'l>(program: &Program, line: &'l str) -> Option<(&'l str, Vec<&'l str>)> {
    let mut words = line.split_whitespace().skip_while(|word| {
        matches!(*word, "$" | "sudo" | "npx" | "bunx" | "pnpx" | "time")
            || word.split_once('=').is_some_and(|(name, _)| {
                !name.starts_with('-') && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            })
    });
    let mut first = words.next()?;
    if matches!(first, "-y" | "--yes") {
        first = words.next()?;
    }
    let ends = |word: &&str| {
        matches!(*word, "|" | "||" | "&&" | ";" | ">" | "<" | "#" | "\\") || word.starts_with(['|', '#', '`', '(', '$'])
    };
    if first == "cargo" {
        let words: Vec<&str> = words.take_while(|word| !ends(word)).collect();
        let at = words.iter().position(|word| *word == "--")?;
        return is_run_by_cargo(program, &words[..at]).then(|| ("--", words[at + 1..].to_vec()));
    }
    let bare = first.rsplit_once('@').filter(|(name, _)| !name.is_empty()).map_or(first, |(name, _)| name);
    let bare = bare.strip_prefix("./target/release/").or_else(|| bare.strip_prefix("./target/debug/")).unwrap_or(bare);
    program.names.contains(bare).then(|| (first, words.take_while(|word| *word != "--" && !ends(word)).collect()))
}

/// Whether `cargo run …` with these words in front of `--` starts the program.
fn is_run_by_cargo(program: &Program, words: &[&str]) -> bool {
    let mut words = words.iter().filter(|word| !word.starts_with('+'));
    if !words.next().is_some_and(|verb| matches!(*verb, "run" | "r")) {
        return false;
    }
    let mut named = None;
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*word, None),
        };
        match flag {
            "--bin" | "-p" | "--package" => named = value.or_else(|| words.next().copied()),
            "--example" | "--manifest-path" => return false,
            _ => {}
        }
    }
    named.map_or(program.is_alone, |name| program.names.contains(name))
}

/// The long flags that a command line gives to one of the programs; `None` when it starts another.
pub fn flags_given<'l>(program: &Program, line: &'l str) -> Option<Vec<&'l str>> {
    let (_, words) = arguments_given(program, line)?;
    let flags = words.into_iter().filter_map(|word| {
        let rest = word.trim_start_matches(['[', '(']).strip_prefix("--")?;
        let name = rest.split(['=', ']', ')', '"', '\'', ',', ';', '<', '[', '|']).next().unwrap_or(rest);
        let is_name = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        is_name.then_some(name)
    });
    Some(flags.collect())
}

/// The name of the program as it is written in a command line that starts it, and the plain word behind it, which can be a subcommand.
pub fn command_given<'l>(program: &Program, line: &'l str) -> Option<(&'l str, &'l str)> {
    let (written, words) = arguments_given(program, line)?;
    let word = words.first()?;
    let is_name = word.len() > 1
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !word.ends_with('-');
    is_name.then_some((written, word))
}

/// The program that a command line on a page of `subject` starts: one of that package, else the only one of that name.
pub fn started<'p>(programs: &'p [Program], subject: &str, line: &str) -> Option<&'p Program> {
    let starts: Vec<&Program> = programs.iter().filter(|program| arguments_given(program, line).is_some()).collect();
    match starts.as_slice() {
        [one] => Some(one),
        several => several.iter().copied().find(|program| program.is_spoken_of_in(subject)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_command_line_gives_flags_to_the_program_it_starts() {
        let program = Program { names: BTreeSet::from(["tool".to_owned()]), ..Program::default() };
        assert_eq!(
            flags_given(&program, "npx tool@latest build --out=dist --watch -- --other"),
            Some(vec!["out", "watch"])
        );
        assert_eq!(flags_given(&program, "tool a | grep --x"), Some(vec![]));
        assert_eq!(flags_given(&program, "docker run tool --x"), None);
        assert_eq!(flags_given(&program, "cargo run --bin tool -- --fast"), Some(vec!["fast"]));
        assert_eq!(flags_given(&program, "cargo run -- --fast"), None);
        assert_eq!(command_given(&program, "$ ./target/release/tool up -- x"), Some(("./target/release/tool", "up")));
        assert_eq!(command_given(&program, "cargo run -p tool -- up"), Some(("--", "up")));
        assert_eq!(command_given(&program, "tool --quiet up"), None);
        assert_eq!(command_given(&program, "tool ./up.sh"), None);
    }
}
