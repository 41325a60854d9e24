//! Hints: what an error does not say in its message, namely what to do about it.

/// An error that knows what its reader can do.
pub trait Hint {
    /// What to do, in one sentence without a full stop; `None` when nothing better than the message can be said.
    fn hint(&self) -> Option<String>;
}

/// Library errors say what to do in a method of their own; this makes them one kind of thing. Without such a method the
/// compiler warns of a function that only calls itself.
macro_rules! hints {
    ($($error:ty),* $(,)?) => {
        $(impl Hint for $error {
            fn hint(&self) -> Option<String> {
                IntoHint::into_hint(<$error>::hint(self))
            }
        })*
    };
}

hints! {
    crate::apply::ApplyError,
    crate::audit::AuditError,
    crate::audit::baseline::NotABaseline,
    crate::backlog::BacklogError,
    crate::forge::ForgeError,
    crate::git::GitError,
    crate::plan::parse::NotAPlan,
    crate::process::ProcessError,
    crate::sandbox::SandboxError,
    crate::tree::TreeError,
    crate::trust::TrustError,
    crate::verifier::VerifyError,
    crate::worktree::WorktreeError,
}

impl Hint for crate::apply::record::RecordError {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// The shapes in which errors give their hint.
trait IntoHint {
    fn into_hint(self) -> Option<String>;
}

impl IntoHint for String {
    fn into_hint(self) -> Option<String> {
        Some(self)
    }
}

impl IntoHint for &str {
    fn into_hint(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl<T: IntoHint> IntoHint for Option<T> {
    fn into_hint(self) -> Option<String> {
        self.and_then(IntoHint::into_hint)
    }
}
