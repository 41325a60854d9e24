//! What functions of well-known packages make of what they are given: React's hooks, contexts and wrappers, the collections of the
//! language. Packages are rarely installed where code is read, and their types are never looked into.

use super::evaluate::Linker;
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::facts::{CallKind, CallSite};
use crate::repo_map::{FileId, How};

impl<'a> Linker<'a, '_> {
    /// What a call of a package gives back, where that depends on what it is given.
    pub fn made_by_package(&self, file: FileId, site: &'a CallSite, callee: &Known<'a>) -> Option<Known<'a>> {
        let Value::External { package, path, .. } = &callee.value else { return None };
        let name = path.last()?.as_ref();
        match package.as_ref() {
            "react" | "preact" => self.made_by_react(file, site, name, &callee.value),
            // `dynamic(() => import('./page'))`
            "next" if name == "dynamic" => self.loaded(file, site),
            "global" if path.len() == 1 && site.kind == CallKind::New => {
                let place = match name {
                    "Map" | "WeakMap" => 1,
                    "Set" | "WeakSet" => 0,
                    _ => return None,
                };
                let inner = self.type_argument(file, site, place)?;
                self.holds(&callee.value, "", inner)
            }
            _ => None,
        }
    }

    fn made_by_react(&self, file: FileId, site: &'a CallSite, name: &str, outside: &Value<'a>) -> Option<Known<'a>> {
        let given = || self.value(file, site.arguments.first()?, site.span.start);
        let result = || self.deeper(|| self.result(given()?));
        match name {
            "useMemo" => result(),
            "useCallback" | "memo" | "forwardRef" | "useDeferredValue" | "useEffectEvent" => given(),
            "lazy" => self.loaded(file, site),
            "useRef" | "createRef" => {
                let inner = self.type_argument(file, site, 0).or_else(|| given().map(|given| given.value))?;
                self.holds(outside, "current", inner)
            }
            "createContext" => {
                let inner = self.type_argument(file, site, 0).or_else(|| given().map(|given| given.value))?;
                self.holds(outside, "", inner)
            }
            "useContext" | "use" => match given()?.value {
                Value::Holds { inner, .. } => inner.by(How::Returned),
                Value::Promise(inner) => inner.awaited().by(How::Returned),
                _ => None,
            },
            "useState" => {
                let inner = self.type_argument(file, site, 0).or_else(|| {
                    let first = given()?;
                    match first.value {
                        Value::Closure(..) => Some(result()?.value),
                        value => Some(value),
                    }
                })?;
                let Value::External { package, path, settled } = outside else { return None };
                let path = path.iter().cloned().chain(["1".into()]).collect();
                let setter = Value::External { package: *package, path, settled: *settled };
                Value::Tuple(vec![inner, setter]).by(How::Returned)
            }
            _ => None,
        }
    }

    /// The default export of what a function imports, or what it gives itself.
    fn loaded(&self, file: FileId, site: &'a CallSite) -> Option<Known<'a>> {
        let given = self.value(file, site.arguments.first()?, site.span.start)?;
        let module = self.deeper(|| self.result(given))?;
        let module = Known { value: module.value.awaited(), how: module.how };
        match module.value {
            Value::Namespace(_) => self.member(&module, "default"),
            _ => Some(module),
        }
    }

    fn type_argument(&self, file: FileId, site: &CallSite, place: usize) -> Option<Value<'a>> {
        let text = site.type_arguments.as_ref()?;
        let TypeExpr::Named(_, arguments) = types::parse(&format!("X<{text}>")) else { return None };
        let found = self.type_value(file, arguments.get(place)?, site.span.start);
        (found != Value::Unknown).then_some(found)
    }

    fn holds(&self, outside: &Value<'a>, key: &'static str, inner: Value<'a>) -> Option<Known<'a>> {
        Value::Holds { outside: Box::new(outside.clone()), key, inner: Box::new(inner) }.by(How::Returned)
    }
}

/// The items of a collection of the language, and what `entries` gives with them.
pub(super) fn collected<'a>(value: &Value<'a>, method: &str) -> Option<Value<'a>> {
    let Value::Holds { outside, key: "", inner } = value else { return None };
    let Value::External { package, path, .. } = outside.as_ref() else { return None };
    let [kind] = &path[..] else { return None };
    if package.as_ref() != "global" {
        return None;
    }
    let list = || Value::Array(inner.clone());
    let pairs = || Value::Array(Box::new(Value::Tuple(vec![Value::Unknown, inner.as_ref().clone()])));
    match (kind.as_ref(), method) {
        ("Map" | "WeakMap", "get") => Some(inner.as_ref().clone()),
        ("Map" | "Set", "values") | ("Set", "keys" | "") => Some(list()),
        ("Map", "entries" | "") => Some(pairs()),
        _ => None,
    }
}
