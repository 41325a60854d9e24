//! Types as they are written, taken apart: nothing is resolved here.

/// A type as written, taken apart: nothing resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// `a::B<C, D = E>`; bindings by name.
    Path(Vec<&'a str>, Vec<Written<'a>>, Vec<(&'a str, Written<'a>)>),
    /// `<T as Trait>::Name`: the type, the trait, the name.
    Projection(Box<Written<'a>>, Option<Box<Written<'a>>>, &'a str),
    /// `impl A + B`, `dyn A + B`.
    Traits(Vec<Written<'a>>),
    /// `(A, B)`.
    Tuple(Vec<Written<'a>>),
    /// `[T]`, `[T; N]`.
    Slice(Box<Written<'a>>),
    /// `fn(A) -> B`, `Fn(A) -> B`.
    Function(Vec<Written<'a>>, Option<Box<Written<'a>>>),
    /// `!`, `_`, macros, what we do not read.
    Other,
}

/// What an alias stands for: the text after the `=` of `type Name<T = Default> = Target`.
pub(super) fn alias_target(signature: &str) -> Option<&str> {
    let mut depth = 0_i32;
    let at = signature.char_indices().find(|(_, character)| {
        match character {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        *character == '=' && depth == 0
    });
    at.map(|(at, _)| &signature[at + 1..])
}

/// Reads a type. Never fails: what is not understood is [`Written::Other`].
pub(super) fn read(text: &str) -> Written<'_> {
    Reader { rest: text, depth: 0 }.ty()
}

/// Reads a bound: `Trait`, `Trait<A>`, `Fn(A) -> B`, joined by `+`.
pub(super) fn read_bounds(text: &str) -> Vec<Written<'_>> {
    Reader { rest: text, depth: 0 }.bounds()
}

struct Reader<'t> {
    rest: &'t str,
    depth: u32,
}

impl<'t> Reader<'t> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> Option<&'t str> {
        self.skip();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        (!word.is_empty()).then(|| {
            self.rest = rest;
            word
        })
    }

    /// Eats `word` only when it stands alone.
    fn keyword(&mut self, word: &str) -> bool {
        let before = self.rest;
        if self.word() == Some(word) {
            return true;
        }
        self.rest = before;
        false
    }

    fn lifetime(&mut self) -> bool {
        if !self.eat("'") {
            return false;
        }
        self.word();
        true
    }

    fn ty(&mut self) -> Written<'t> {
        // Types are data of the audited repository: they may nest without end.
        if self.depth > 24 {
            self.rest = "";
            return Written::Other;
        }
        self.depth += 1;
        let read = self.ty_inner();
        self.depth -= 1;
        read
    }

    fn ty_inner(&mut self) -> Written<'t> {
        loop {
            self.skip();
            if self.eat("&") || self.lifetime() {
                continue;
            }
            if self.eat("*") {
                let _ = self.keyword("const");
                continue;
            }
            if self.keyword("mut") || self.keyword("unsafe") {
                continue;
            }
            break;
        }
        if self.eat("(") {
            let mut items = self.list(")");
            // `(T,)` is rare enough to be read as `T`.
            let grouped = items.len() == 1;
            return if grouped { items.remove(0) } else { Written::Tuple(items) };
        }
        if self.eat("[") {
            let item = self.ty();
            if self.eat(";") {
                let end = self.rest.find(']').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            }
            self.eat("]");
            return Written::Slice(Box::new(item));
        }
        if self.keyword("impl") || self.keyword("dyn") {
            return Written::Traits(self.bounds());
        }
        if self.keyword("for") && self.eat("<") {
            self.skip_angle();
        }
        if self.keyword("extern") {
            self.skip();
            if self.rest.starts_with('"') {
                let end = self.rest[1..].find('"').map_or(self.rest.len(), |end| end + 2);
                self.rest = &self.rest[end..];
            }
        }
        if self.keyword("fn") {
            self.eat("(");
            let parameters = self.list(")");
            return Written::Function(parameters, self.result());
        }
        self.path()
    }

    fn result(&mut self) -> Option<Box<Written<'t>>> {
        self.eat("->").then(|| Box::new(self.ty()))
    }

    fn bounds(&mut self) -> Vec<Written<'t>> {
        let mut found = Vec::new();
        loop {
            self.skip();
            if !self.lifetime() && !self.eat("?Sized") {
                let before = self.rest.len();
                found.push(self.ty());
                if self.rest.len() == before {
                    break;
                }
            }
            if !self.eat("+") {
                break;
            }
        }
        found
    }

    /// Types up to `close`, names of parameters (`name: T`) left out.
    fn list(&mut self, close: &str) -> Vec<Written<'t>> {
        let mut items = Vec::new();
        while !self.eat(close) {
            let before = self.rest.len();
            let item = self.ty();
            if self.rest.trim_start().starts_with(':') && !self.rest.trim_start().starts_with("::") {
                self.eat(":");
                items.push(self.ty());
            } else {
                items.push(item);
            }
            self.eat(",");
            if self.rest.len() == before {
                break;
            }
        }
        items
    }

    fn skip_angle(&mut self) {
        let mut open = 1;
        let mut end = self.rest.len();
        for (at, character) in self.rest.char_indices() {
            match character {
                '<' => open += 1,
                '>' => open -= 1,
                _ => {}
            }
            if open == 0 {
                end = at + 1;
                break;
            }
        }
        self.rest = &self.rest[end..];
    }

    fn path(&mut self) -> Written<'t> {
        let mut names = Vec::new();
        if self.eat("<") {
            let of = self.ty();
            let by = self.keyword("as").then(|| Box::new(self.ty()));
            self.eat(">");
            self.eat("::");
            let name = self.word().unwrap_or_default();
            return Written::Projection(Box::new(of), by, name);
        }
        self.eat("::");
        let mut arguments = Vec::new();
        let mut bindings = Vec::new();
        loop {
            self.eat("r#");
            let Some(word) = self.word() else { break };
            names.push(word);
            if matches!(word, "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce") && self.eat("(") {
                let parameters = self.list(")");
                return Written::Function(parameters, self.result());
            }
            let before = self.rest;
            let turbofish = self.eat("::");
            if self.eat("<") {
                (arguments, bindings) = self.arguments();
                if !self.eat("::") {
                    break;
                }
            } else if !turbofish {
                self.rest = before;
                break;
            }
        }
        if names.is_empty() { Written::Other } else { Written::Path(names, arguments, bindings) }
    }

    fn arguments(&mut self) -> (Vec<Written<'t>>, Vec<(&'t str, Written<'t>)>) {
        let mut arguments = Vec::new();
        let mut bindings = Vec::new();
        while !self.eat(">") {
            let before = self.rest;
            if self.lifetime() {
                self.eat(",");
                continue;
            }
            let name = self.word();
            if let Some(name) = name.filter(|_| self.rest.trim_start().starts_with('=')) {
                self.eat("=");
                bindings.push((name, self.ty()));
            } else {
                self.rest = before;
                arguments.push(self.ty());
                // `Trait<Item: Bound>`, const expressions: to the next argument.
                if self.eat(":") {
                    self.bounds();
                }
            }
            self.eat(",");
            if self.rest.len() == before.len() {
                break;
            }
        }
        (arguments, bindings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path<'a>(name: &'a str, arguments: Vec<Written<'a>>) -> Written<'a> {
        Written::Path(name.split("::").collect(), arguments, Vec::new())
    }

    #[test]
    fn references_and_lifetimes_are_left_out() {
        assert_eq!(read("&'a mut Foo<'a, Bar>"), path("Foo", vec![path("Bar", Vec::new())]));
        assert_eq!(read("*const a::B"), path("a::B", Vec::new()));
    }

    #[test]
    fn traits_functions_and_projections_are_told_apart() {
        assert_eq!(
            read("Box<dyn Fn(&str, u8) -> Option<T> + Send>"),
            path(
                "Box",
                vec![Written::Traits(vec![
                    Written::Function(
                        vec![path("str", vec![]), path("u8", vec![])],
                        Some(Box::new(path("Option", vec![path("T", vec![])])))
                    ),
                    path("Send", vec![]),
                ])]
            )
        );
        assert_eq!(
            read("<T as Iterator>::Item"),
            Written::Projection(Box::new(path("T", vec![])), Some(Box::new(path("Iterator", vec![]))), "Item")
        );
        assert_eq!(
            read("impl Iterator<Item = (A, [u8; 4])>"),
            Written::Traits(vec![Written::Path(
                vec!["Iterator"],
                vec![],
                vec![("Item", Written::Tuple(vec![path("A", vec![]), Written::Slice(Box::new(path("u8", vec![])))]))]
            )])
        );
    }

    #[test]
    fn an_alias_stands_for_what_follows_its_own_equals_sign() {
        assert_eq!(alias_target("pub type Request<T = Body> = http::Request<T>"), Some(" http::Request<T>"));
        assert_eq!(alias_target("type Item: Clone"), None);
    }

    #[test]
    fn broken_types_end() {
        for text in ["", "<", "Foo<", "((((", "impl", "dyn +", "Fn(", "a::<", "é<ü>", "[;", "Foo<{ N + 1 }>"] {
            let _ = read(text);
            let _ = read_bounds(text);
        }
        assert_eq!(read("!"), Written::Other);
    }
}
