//! Which of several functions of one name a call means: a trait implemented for several arguments, traits that share a name.

use super::linker::{Context, Linker};
use super::outside::Outside;
use super::types::Ty;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::CallSite;
use crate::repo_map::{How, Resolved, SymbolId};

impl<'a> Linker<'a> {
    /// Of candidates that only the call can tell apart (`From<A>`, `From<B>`) the one it means, found `how`; else all of them.
    pub(super) fn narrowed(
        &self,
        found: Vec<Resolved>,
        how: How,
        call: &'a CallSite,
        context: Context,
    ) -> Vec<Resolved> {
        if found.len() < 2 || found.iter().any(|found| found.how != How::Dispatch) {
            return found;
        }
        let Some(site) = self.site(context) else { return found };
        let is_seen = |symbol| self.members.trait_of(symbol).is_none_or(|of| self.names.sees_trait(site, of));
        let seen: Vec<SymbolId> = found.iter().map(|found| found.symbol).filter(|symbol| is_seen(*symbol)).collect();
        let fits: Vec<_> = seen.iter().map(|symbol| (*symbol, self.fits(*symbol, call, context))).collect();
        let certain: Vec<_> = fits.iter().filter(|(_, fits)| *fits == Some(true)).collect();
        let possible: Vec<_> = fits.iter().filter(|(_, fits)| *fits != Some(false)).collect();
        match (certain.as_slice(), possible.as_slice()) {
            ([(symbol, _)], _) | ([], [(symbol, _)]) => vec![Resolved { symbol: *symbol, how }],
            _ => found,
        }
    }

    /// Whether a call can mean the one implementation found of a trait from elsewhere. Others may come from macros, and a type
    /// from elsewhere has those of its own crate: `Vec::from(text)` is not our `From<Message> for Vec<u8>`.
    pub(super) fn is_plausible(&self, ty: &Ty<'a>, found: &[Resolved], call: &'a CallSite, context: Context) -> bool {
        let [only] = found else { return true };
        if self.symbol(only.symbol).of_trait.is_none() || self.members.trait_of(only.symbol).is_some() {
            return true;
        }
        let own = self.symbol(only.symbol);
        match (self.fits(only.symbol, call, context), ty) {
            (Some(fits), _) => fits,
            // `url.into()`: nothing in the call tells, but other crates seldom have such traits.
            (None, Ty::Outside(outside, _)) => own.takes_self && own.parameters.is_empty() && outside.package != "std",
            (None, Ty::Slice(_)) => false,
            (None, _) => true,
        }
    }

    /// Whether the first argument of a call has the type that `symbol` declares, as far as both are known.
    fn fits(&self, symbol: SymbolId, call: &'a CallSite, context: Context) -> Option<bool> {
        let own = self.symbol(symbol);
        let receiver_first = own.takes_self && !matches!(call.callee, Expr::Member(..));
        let declared = own.parameters.first()?.declared_type.as_deref()?;
        let given = call.arguments.get(usize::from(receiver_first))?;
        if declared.trim() == "()" {
            return Some(*given == Expr::Nothing);
        }
        let declared = self.read_type(declared, self.context_of(symbol));
        same_head(&declared, &self.type_of(given, context).ty)
    }
}

/// Whether two types are the same but for their arguments; `None` when that cannot be told.
fn same_head(declared: &Ty<'_>, given: &Ty<'_>) -> Option<bool> {
    match (declared, given) {
        (Ty::Own(left, _), Ty::Own(right, _)) => Some(left == right),
        (Ty::Outside(left, _), Ty::Outside(right, _)) if left == right => Some(true),
        (Ty::Outside(left, _), Ty::Outside(right, _)) => (is_std_type(left) && is_std_type(right)).then_some(false),
        (Ty::Own(..), Ty::Outside(outside, _)) | (Ty::Outside(outside, _), Ty::Own(..)) => {
            is_std_type(outside).then_some(false)
        }
        (Ty::Slice(left), Ty::Slice(right)) => same_head(left, right),
        (Ty::Own(..), Ty::Slice(_)) | (Ty::Slice(_), Ty::Own(..)) => Some(false),
        _ => None,
    }
}

/// Whether `outside` is a type of the standard library rather than what a call into it gives.
fn is_std_type(outside: &Outside<'_>) -> bool {
    let last = outside.path.last().copied().unwrap_or_default();
    outside.package == "std" && (outside.path.len() == 1 || last.starts_with(char::is_uppercase))
}
