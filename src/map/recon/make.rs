//! Targets of a Makefile and recipes of a justfile whose name says what they are for.

use super::{Ground, join};
use crate::repo_map::recon::{CommandPurpose, ProjectCommand};

/// The target or recipe that a line begins, if any.
type ReadLine = fn(&str) -> Option<&str>;

/// Commands of the Makefile and the justfile in `folder`.
pub(super) fn commands(ground: &Ground<'_>, folder: &str) -> Vec<ProjectCommand> {
    let files: [(&str, &str, ReadLine); 6] = [
        ("justfile", "just", recipe),
        ("Justfile", "just", recipe),
        (".justfile", "just", recipe),
        ("Makefile", "make", target),
        ("makefile", "make", target),
        ("GNUmakefile", "make", target),
    ];
    let mut found: Vec<ProjectCommand> = Vec::new();
    for (name, program, read) in files {
        let path = join(folder, name);
        if !ground.files.contains(path.as_str()) {
            continue;
        }
        let Some(text) = ground.tree.text(&path) else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            let Some((target, purpose)) = read(line).and_then(|target| Some((target, purpose(target)?))) else {
                continue;
            };
            let source = format!("{path}:{number}");
            super::fill(&mut found, super::command(purpose, format!("{program} {target}"), folder, source));
        }
    }
    found
}

fn purpose(target: &str) -> Option<CommandPurpose> {
    match target {
        "test" | "tests" | "unit-test" | "unit-tests" | "test-unit" => Some(CommandPurpose::Test),
        "lint" | "lint-check" | "clippy" => Some(CommandPurpose::Lint),
        "build" | "compile" => Some(CommandPurpose::Build),
        "typecheck" | "type-check" | "check-types" => Some(CommandPurpose::Typecheck),
        "fmt-check" | "format-check" | "check-fmt" | "check-format" | "fmt_check" | "check_fmt" => {
            Some(CommandPurpose::Format)
        }
        _ => None,
    }
}

/// `name: prerequisites` of a Makefile.
fn target(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.trim_end().bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    (is_name && !rest.starts_with(['=', ':'])).then(|| name.trim_end())
}

/// `name parameters: dependencies` of a justfile, where no parameter has to be given.
fn recipe(line: &str) -> Option<&str> {
    let (head, rest) = line.split_once(':')?;
    if line.starts_with(char::is_whitespace) || rest.starts_with('=') {
        return None;
    }
    let mut words = head.split_whitespace();
    let name = words.next()?.trim_start_matches('@');
    let is_optional = |parameter: &str| parameter.starts_with('*') || parameter.contains('=');
    (!name.starts_with('#') && words.all(is_optional)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_recipes_that_ask_for_something_are_no_targets() {
        assert_eq!(target("test: build"), Some("test"));
        assert_eq!(target("test := 1"), None);
        assert_eq!(target("\tcargo test"), None);
        assert_eq!(recipe("@test *args: build"), Some("test"));
        assert_eq!(recipe("test name:"), None);
        assert_eq!(recipe("test := 'x'"), None);
    }
}
