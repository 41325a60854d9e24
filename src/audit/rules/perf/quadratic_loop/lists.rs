//! Lists: what the questions about a value of one file share, whether it has to be searched from its start and how long it may get.

pub mod extent;
pub mod shape;

use crate::effects::Effects;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, BindingKind, FileFacts, LanguageName};
use crate::repo_map::{FileId, RepoMap};

/// Expressions entered below one another. A list goes through few hands; input that refers in a circle must end.
const MAX_DEPTH: usize = 8;

/// What is known about values of one file.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    /// The repo map.
    pub map: &'a RepoMap,
    /// What functions do.
    pub effects: &'a Effects,
    /// The file.
    pub file: FileId,
}

impl<'a> Lists<'a> {
    /// Facts of the file.
    pub fn facts(self) -> &'a FileFacts {
        &self.map.file(self.file).facts
    }

    fn is_rust(self) -> bool {
        self.map.file(self.file).language == LanguageName::Rust
    }

    /// What is assigned to a variable after its declaration.
    fn assigned(self, binding: &'a Binding) -> impl Iterator<Item = &'a Expr> {
        let variable = binding.kind == BindingKind::Variable;
        self.facts()
            .assignments
            .iter()
            .filter(move |assignment| {
                variable
                    && assignment.operator == "="
                    && assignment.symbol == binding.owner
                    && matches!(&assignment.target, Expr::Name(name) if *name == binding.name)
            })
            .map(|assignment| &assignment.value)
    }
}
