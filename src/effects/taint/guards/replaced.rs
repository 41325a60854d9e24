//! Replaced: what is left of a value after `replace`, and values that are lists of placeholders.

use crate::effects::taint::letters::{Verdict, verdict};
use crate::effects::taint::names::Spot;
use crate::effects::taint::repository::Taint;
use crate::effects::taint::trace::Found;
use crate::effects::taint::{Context, Danger, Trust};
use crate::repo_map::expr::Expr;
use crate::repo_map::name::words;

impl Taint<'_> {
    /// A value after `replace(pattern, with)`.
    pub fn replaced(
        &self,
        spot: Spot,
        found: Found,
        pattern: &Expr,
        with: Option<&Expr>,
        danger: Danger,
        context: &Context,
    ) -> Found {
        if found.trust <= Trust::Unknown {
            return found;
        }
        if danger == Danger::Regex && matches!(with.map(Expr::peeled), Some(Expr::Text(text)) if text.contains("$&")) {
            return Found::of(Trust::Constant);
        }
        let text = match pattern.peeled() {
            Expr::Regex(text) | Expr::Text(text) => text.to_string(),
            _ => match self.pattern(spot, pattern) {
                Some(text) => text.to_owned(),
                None => return Found { trust: Trust::Unknown, ..found },
            },
        };
        // `[^a-z0-9]`: what is left is what the class names.
        if let Some(class) = text.strip_prefix("[^") {
            let class = class.trim_end_matches(['+', '*']);
            return match verdict(&format!("^[{class}*$"), danger, context) {
                Verdict::Harmless => Found::of(Trust::Constant),
                Verdict::Lets(_) | Verdict::OpenHost => found,
                Verdict::Unclear => Found { trust: Trust::Unknown, ..found },
            };
        }
        let quotes = match danger {
            Danger::Sql | Danger::Shell => text.contains(['\'', '"', '`', '\\', '$']),
            Danger::Path => text.contains("..") || text.contains("\\.") || text.contains('/'),
            Danger::Regex => text.contains(['*', '[', '\\']),
            Danger::Html => text.contains(['<', '&', '"']),
            Danger::Url | Danger::Redirect | Danger::Option | Danger::Backtracking => false,
        };
        if quotes { Found { trust: Trust::Unknown, ..found } } else { found }
    }

    /// Whether a value is named for a list of placeholders made in the code.
    pub fn is_placeholder(&self, value: Option<&str>) -> bool {
        value.and_then(|value| value.rsplit('.').next()).is_some_and(|last| {
            words(last).iter().any(|word| {
                word.starts_with("placeholder")
                    || matches!(word.as_str(), "marks" | "columns" | "fields" | "placeholders")
            })
        })
    }
}
