//! Methods: what is asked of a value by its own methods, `name.startsWith(root)`.

use crate::effects::chain;
use crate::effects::taint::guards::{Check, of_verdict};
use crate::effects::taint::letters::verdict;
use crate::effects::taint::names::{Meaning, Spot};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::{Context, Danger};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, Usage};

impl Taint<'_> {
    /// `name.startsWith(root)`, `name.includes('..')`, `name.match(/^…$/)`.
    pub(super) fn asked_itself(
        &self,
        spot: Spot,
        site: &CallSite,
        expr: &Expr,
        danger: Danger,
        context: &Context,
    ) -> Check {
        let argument = site.arguments.first().map(Expr::peeled);
        match (site.name.as_str(), argument) {
            ("match" | "matches", Some(argument)) => match self.pattern(spot, argument) {
                Some(pattern) => of_verdict(pattern, verdict(pattern, danger, context)),
                None => Check::None,
            },
            ("startsWith" | "starts_with", Some(argument)) => match danger {
                Danger::Path => self.prefix_of_path(spot, expr),
                Danger::Url | Danger::Redirect => match argument {
                    Expr::Text(text) if is_open_origin(text) => Check::Leaky(format!(
                        "`startsWith(\"{text}\")` without a slash at the end also accepts `{text}.evil.example`"
                    )),
                    Expr::Text(text)
                        if text == "http" || text == "http://" || text == "https://" || text == "https" =>
                    {
                        Check::None
                    }
                    Expr::Text(text) if text == "/" => {
                        Check::Leaky("`startsWith(\"/\")` also accepts `//evil.example`".to_owned())
                    }
                    _ => Check::Allowed,
                },
                Danger::Option => Check::Allowed,
                _ => Check::None,
            },
            ("includes" | "contains" | "indexOf", Some(argument)) => match (danger, argument) {
                (Danger::Path, Expr::Text(text)) if text.contains("..") || text.contains('/') => Check::Named,
                (Danger::Url | Danger::Redirect, Expr::Text(text)) if text.contains('.') && !text.contains("..") => {
                    Check::Leaky(format!("`{}(\"{text}\")` also accepts `https://evil.example/?{text}`", site.name))
                }
                (_, Expr::Text(_)) => Check::Named,
                _ => Check::None,
            },
            ("endsWith" | "ends_with", _) if matches!(danger, Danger::Url | Danger::Redirect) => Check::Named,
            ("is_relative" | "components" | "canonicalize" | "strip_prefix" | "is_absolute", _)
                if danger == Danger::Path =>
            {
                Check::Named
            }
            // `path.parent() != Some(folder)`
            ("parent", _) if danger == Danger::Path && matches!(site.usage, Usage::Operand | Usage::Tested) => {
                Check::Named
            }
            _ => Check::None,
        }
    }

    /// A prefix check keeps a path inside its folder only when `..` is resolved before.
    fn prefix_of_path(&self, spot: Spot, expr: &Expr) -> Check {
        let facts = &self.map.file(spot.file).facts;
        let rust = !self.map.file(spot.file).language.is_ecmascript();
        let Expr::Name(name) = expr else { return Check::Named };
        let Meaning::Variable(binding) = self.index(spot.file).meaning(facts, name, spot.at) else {
            return Check::Named;
        };
        let Some(value) = &binding.value else { return Check::Named };
        let mut normal = false;
        let mut joined = matches!(value.peeled(), Expr::Template(_) | Expr::Binary(..));
        chain::walk_deep(facts, value, &mut |inner| {
            if let Expr::Call(index) = inner {
                let called = facts.call(*index).name.as_str();
                joined |= called == "join";
                // JavaScript's `path.join` resolves dots; Rust's `Path::join` does not.
                normal |= matches!(
                    called,
                    "resolve" | "normalize" | "realpath" | "realpathSync" | "canonicalize" | "absolutize" | "clean"
                ) || called.contains("normal")
                    || called.contains("canon")
                    || (!rust && called == "join");
            }
        });
        if joined && !normal {
            Check::Leaky("its prefix is compared before `..` is resolved".to_owned())
        } else {
            Check::Allowed
        }
    }
}

/// `https://example.com`: an origin that a longer host name starts with too.
fn is_open_origin(text: &str) -> bool {
    let Some((_, host)) = text.split_once("://") else { return false };
    !host.is_empty() && !host.contains('/') && !host.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_without_a_slash_is_open() {
        assert!(is_open_origin("https://images.example.com"));
        assert!(!is_open_origin("https://images.example.com/"));
        assert!(!is_open_origin("https://"));
    }
}
