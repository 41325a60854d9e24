//! What a project says about its own functions in its settings: sources, sinks and guards.

use std::collections::BTreeMap;

/// A project's own sources, sinks and guards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Reads and calls whose value somebody outside chose.
    pub sources: Vec<DeclaredCall>,
    /// Calls that must not get such a value, by rule id.
    pub sinks: BTreeMap<String, Vec<DeclaredCall>>,
    /// Calls that check a value or give a harmless one, by rule id; `all` for every rule.
    pub guards: BTreeMap<String, Vec<DeclaredCall>>,
}

/// A call as settings write it: `runOnServer(2)`, `db.raw`, `ctx.payload.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCall {
    /// Names with dots between them, as in the tables of libraries.
    pub pattern: String,
    /// Which argument, from 0; every one when it is not said.
    pub argument: Option<usize>,
}

impl DeclaredCall {
    /// Reads `name.name`, `name::name` or either with `(2)` behind it: the second argument. `None` for anything else.
    pub fn parse(text: &str) -> Option<DeclaredCall> {
        let text = text.trim();
        let (names, argument) = match text.strip_suffix(')') {
            Some(rest) => {
                let (names, number) = rest.split_once('(')?;
                match number.trim() {
                    "" => (names, None),
                    number => (names, Some(number.parse::<usize>().ok()?.checked_sub(1)?)),
                }
            }
            None => (text, None),
        };
        let is_name = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '*' | '@' | '|'))
        };
        let pattern = names.replace("::", ".");
        pattern.split('.').all(is_name).then_some(DeclaredCall { pattern, argument })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(pattern: &str, argument: Option<usize>) -> Option<DeclaredCall> {
        Some(DeclaredCall { pattern: pattern.to_owned(), argument })
    }

    #[test]
    fn calls_are_names_with_an_argument_or_without() {
        assert_eq!(DeclaredCall::parse("runOnServer(2)"), call("runOnServer", Some(1)));
        assert_eq!(DeclaredCall::parse("db.raw"), call("db.raw", None));
        assert_eq!(DeclaredCall::parse("shell::run()"), call("shell.run", None));
        assert_eq!(DeclaredCall::parse("run(0)"), None);
        assert_eq!(DeclaredCall::parse("run it"), None);
        assert_eq!(DeclaredCall::parse(""), None);
    }
}
