//! What a project declared about its own functions, compared with names in the code.

use crate::effects::tables::matches;
use crate::effects::taint::Danger;
use crate::repo_map::recon::declared::{Declared, DeclaredCall};

/// Whether names written in the code, or those of a definition, are what `call` describes: all of them or their end.
pub fn describes(call: &DeclaredCall, names: &[&str]) -> bool {
    (0..names.len()).any(|start| matches(&call.pattern, &names[start..]))
}

/// Whether a call of these names is a guard against `danger`.
pub fn is_guard(declared: &Declared, danger: Danger, names: &[&str]) -> bool {
    let of = |key: &str| declared.guards.get(key).into_iter().flatten().any(|guard| describes(guard, names));
    of(danger.rule()) || of("all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_describes_the_end_of_what_is_written() {
        let run = DeclaredCall::parse("ssh.run").expect("is a call");
        assert!(describes(&run, &["this", "ssh", "run"]));
        assert!(!describes(&run, &["ssh", "run", "then"]));
    }
}
