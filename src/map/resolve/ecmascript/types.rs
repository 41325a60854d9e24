//! Type annotations, read from their text: only what says which members a value has.

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeExpr {
    /// `a.b.Name<Arguments>`.
    Named(Vec<String>, Vec<TypeExpr>),
    /// `T[]`.
    Array(Box<TypeExpr>),
    /// `A | B`, with `null` and `undefined` left out.
    Union(Vec<TypeExpr>),
    /// `A & B`.
    Intersection(Vec<TypeExpr>),
    /// `(a: A) => R`.
    Function(Vec<TypeExpr>, Box<TypeExpr>),
    /// `new (a: A) => R`.
    New(Box<TypeExpr>),
    /// `{ a: A; b(): B }`.
    Object(Vec<(String, TypeExpr)>),
    /// `typeof a.b`.
    TypeOf(Vec<String>),
    /// `import('x').Name`.
    Import(String, Vec<String>),
    /// `T['key']`.
    Indexed(Box<TypeExpr>, String),
    /// `[A, B]`.
    Tuple(Vec<TypeExpr>),
    /// Anything else.
    Unknown,
}

/// Nesting below which a type is [`TypeExpr::Unknown`].
const MAX_DEPTH: usize = 24;

/// Reads a type.
pub(super) fn parse(text: &str) -> TypeExpr {
    let mut parser = Parser { text, at: 0 };
    parser.union(0)
}

struct Parser<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// A whole word.
    fn eat_word(&mut self, word: &str) -> bool {
        self.space();
        let found = self.rest().strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_name));
        if found {
            self.at += word.len();
        }
        found
    }

    fn name(&mut self) -> Option<String> {
        self.space();
        let length = self.rest().find(|letter| !is_name(letter)).unwrap_or(self.rest().len());
        if length == 0 {
            return None;
        }
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Some(name)
    }

    fn union(&mut self, depth: usize) -> TypeExpr {
        if depth > MAX_DEPTH {
            self.at = self.text.len();
            return TypeExpr::Unknown;
        }
        self.eat("|");
        let mut parts = vec![self.intersection(depth)];
        loop {
            self.space();
            if self.rest().starts_with('|') && !self.rest().starts_with("||") {
                self.at += 1;
                parts.push(self.intersection(depth));
            } else {
                break;
            }
        }
        let nothing = |part: &TypeExpr| matches!(part, TypeExpr::Named(path, _) if matches!(path[0].as_str(), "null" | "undefined" | "void"));
        if parts.len() > 1 {
            parts.retain(|part| !nothing(part));
        }
        if parts.len() == 1 { parts.remove(0) } else { TypeExpr::Union(parts) }
    }

    fn intersection(&mut self, depth: usize) -> TypeExpr {
        self.eat("&");
        let mut parts = vec![self.postfix(depth)];
        while self.eat("&") {
            parts.push(self.postfix(depth));
        }
        if parts.len() == 1 { parts.remove(0) } else { TypeExpr::Intersection(parts) }
    }

    fn postfix(&mut self, depth: usize) -> TypeExpr {
        let mut found = self.primary(depth + 1);
        loop {
            self.space();
            if !self.rest().starts_with('[') {
                return found;
            }
            self.at += 1;
            if self.eat("]") {
                found = TypeExpr::Array(Box::new(found));
                continue;
            }
            self.space();
            let key = self.string();
            if !self.eat("]") {
                self.skip_to(']');
            }
            found = match key {
                Some(key) => TypeExpr::Indexed(Box::new(found), key),
                None => TypeExpr::Unknown,
            };
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest().chars().next().filter(|letter| matches!(letter, '\'' | '"' | '`'))?;
        let end = self.rest()[1..].find(quote)?;
        let text = self.rest()[1..=end].to_owned();
        self.at += end + 2;
        Some(text)
    }

    /// Skips to the closing `bracket` of what is open.
    fn skip_to(&mut self, bracket: char) {
        let mut open = 0usize;
        while let Some(letter) = self.rest().chars().next() {
            self.at += letter.len_utf8();
            match letter {
                '(' | '[' | '{' => open += 1,
                letter if letter == bracket && open == 0 => return,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn primary(&mut self, depth: usize) -> TypeExpr {
        self.space();
        for word in ["readonly", "asserts", "infer", "unique"] {
            self.eat_word(word);
        }
        if self.eat_word("keyof") {
            self.postfix(depth);
            return TypeExpr::Unknown;
        }
        if self.eat_word("typeof") {
            return TypeExpr::TypeOf(self.path());
        }
        self.eat_word("abstract");
        if self.eat_word("new") {
            return match self.primary(depth + 1) {
                TypeExpr::Function(_, made) => TypeExpr::New(made),
                _ => TypeExpr::Unknown,
            };
        }
        match self.rest().chars().next() {
            Some('(') if self.is_function() => self.function(depth),
            Some('(') => {
                self.at += 1;
                let inner = self.union(depth + 1);
                if !self.eat(")") {
                    self.skip_to(')');
                }
                inner
            }
            // A generic function type.
            Some('<') => {
                self.skip_angles();
                self.space();
                if self.rest().starts_with('(') { self.function(depth) } else { TypeExpr::Unknown }
            }
            Some('{') => self.object(depth),
            Some('[') => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.eat("]") && !self.rest().is_empty() {
                    let before = self.at;
                    self.eat("...");
                    items.push(self.union(depth + 1));
                    self.eat("?");
                    if self.eat(":") {
                        // A named element: what was read is its name.
                        items.pop();
                        items.push(self.union(depth + 1));
                    }
                    self.eat(",");
                    if self.at == before {
                        self.at = self.text.len();
                    }
                }
                TypeExpr::Tuple(items)
            }
            Some('\'' | '"' | '`') => {
                self.string();
                TypeExpr::Named(vec!["string".to_owned()], Vec::new())
            }
            Some(letter) if is_name(letter) => self.named(depth),
            Some(letter) => {
                self.at += letter.len_utf8();
                TypeExpr::Unknown
            }
            None => TypeExpr::Unknown,
        }
    }

    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(name) = self.name() {
            path.push(name);
            if !self.rest().starts_with('.') {
                break;
            }
            self.at += 1;
        }
        path
    }

    fn named(&mut self, depth: usize) -> TypeExpr {
        if self.eat_word("import") && self.eat("(") {
            self.space();
            let source = self.string().unwrap_or_default();
            self.eat(")");
            let path = if self.eat(".") { self.path() } else { Vec::new() };
            if self.rest().starts_with('<') {
                self.skip_angles();
            }
            return TypeExpr::Import(source, path);
        }
        let path = self.path();
        if path.is_empty() {
            return TypeExpr::Unknown;
        }
        // `value is Type`
        if self.eat_word("is") {
            self.union(depth + 1);
            return TypeExpr::Named(vec!["boolean".to_owned()], Vec::new());
        }
        let mut arguments = Vec::new();
        if self.rest().starts_with('<') {
            self.at += 1;
            while !self.eat(">") && !self.rest().is_empty() {
                let before = self.at;
                arguments.push(self.union(depth + 1));
                self.eat(",");
                if self.at == before {
                    self.at = self.text.len();
                }
            }
        }
        self.space();
        if self.rest().starts_with("extends") {
            // A conditional type: which branch holds is not for us to say.
            self.at = self.text.len();
            return TypeExpr::Unknown;
        }
        TypeExpr::Named(path, arguments)
    }

    fn skip_angles(&mut self) {
        let mut open = 0usize;
        let mut last = ' ';
        while let Some(letter) = self.rest().chars().next() {
            self.at += letter.len_utf8();
            match letter {
                '<' => open += 1,
                '>' if last != '=' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        return;
                    }
                }
                _ => {}
            }
            last = letter;
        }
    }

    /// Whether the parenthesis here opens parameters.
    fn is_function(&self) -> bool {
        let mut probe = Parser { text: self.text, at: self.at + 1 };
        probe.skip_to(')');
        probe.space();
        probe.rest().starts_with("=>")
    }

    fn function(&mut self, depth: usize) -> TypeExpr {
        self.eat("(");
        let mut parameters = Vec::new();
        while !self.eat(")") && !self.rest().is_empty() {
            let before = self.at;
            self.eat("...");
            self.space();
            match self.rest().chars().next() {
                Some('{') => {
                    self.at += 1;
                    self.skip_to('}');
                }
                Some('[') => {
                    self.at += 1;
                    self.skip_to(']');
                }
                _ => {
                    self.name();
                }
            }
            self.eat("?");
            parameters.push(if self.eat(":") { self.union(depth + 1) } else { TypeExpr::Unknown });
            self.eat(",");
            if self.at == before {
                self.at = self.text.len();
            }
        }
        let returned = if self.eat("=>") || self.eat(":") { self.union(depth + 1) } else { TypeExpr::Unknown };
        TypeExpr::Function(parameters, Box::new(returned))
    }

    fn object(&mut self, depth: usize) -> TypeExpr {
        self.eat("{");
        let mut members = Vec::new();
        while !self.eat("}") && !self.rest().is_empty() {
            let before = self.at;
            self.eat_word("readonly");
            self.space();
            let name = self.string().or_else(|| self.name());
            self.eat("?");
            self.space();
            match (name, self.rest().chars().next()) {
                (Some(name), Some(':')) => {
                    self.at += 1;
                    members.push((name, self.union(depth + 1)));
                }
                (Some(name), Some('(')) => {
                    members.push((name, self.function(depth + 1)));
                }
                (_, Some('[')) => {
                    self.at += 1;
                    self.skip_to(']');
                    self.eat("?");
                    if self.eat(":") {
                        self.union(depth + 1);
                    }
                }
                _ => {}
            }
            while self.eat(";") || self.eat(",") {}
            if self.at == before {
                self.at = self.text.len();
            }
        }
        TypeExpr::Object(members)
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// A type parameter: `T extends Constraint = Default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeParameter {
    pub name: String,
    pub constraint: Option<TypeExpr>,
    pub default: Option<TypeExpr>,
}

/// Type parameters that the signature of `name` declares.
pub(super) fn type_parameters(signature: &str, name: &str) -> Vec<TypeParameter> {
    let Some(list) = declared_parameters(signature, name) else { return Vec::new() };
    let mut parser = Parser { text: list, at: 0 };
    let mut found = Vec::new();
    loop {
        for word in ["const", "in", "out"] {
            parser.eat_word(word);
        }
        let Some(name) = parser.name() else { break };
        let constraint = if parser.eat_word("extends") { Some(parser.union(0)) } else { None };
        let default = if parser.eat("=") { Some(parser.union(0)) } else { None };
        found.push(TypeParameter { name, constraint, default });
        if !parser.eat(",") {
            break;
        }
    }
    found
}

/// Type arguments of `base` in the head of a class or an interface: `class Rows extends Store<Row>`.
pub(super) fn base_arguments(signature: &str, base: &str) -> Vec<TypeExpr> {
    let heads = ["extends", "implements"].iter().filter_map(|word| signature.find(word));
    let Some(start) = heads.min() else { return Vec::new() };
    let open = format!("{base}<");
    let found = signature[start..]
        .match_indices(&open)
        .map(|(at, _)| start + at)
        .find(|at| !signature[..*at].ends_with(|letter| is_name(letter) || letter == '.'));
    let Some(at) = found else { return Vec::new() };
    match parse(&signature[at..]) {
        TypeExpr::Named(_, arguments) => arguments,
        _ => Vec::new(),
    }
}

/// What follows the `<` of `class Name<`, `name<`, `name = async <`, `name = function <`. Elsewhere it opens arguments of another type:
/// `class Name extends Base<`, `name = make<`.
fn declared_parameters<'s>(signature: &'s str, name: &str) -> Option<&'s str> {
    let whole = |at: usize| !signature[..at].ends_with(is_name) && !signature[at + name.len()..].starts_with(is_name);
    let (at, _) = signature.match_indices(name).find(|(at, _)| whole(*at))?;
    let mut rest = signature[at + name.len()..].trim_start();
    rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    for word in ["async", "function"] {
        rest = rest.strip_prefix(word).unwrap_or(rest).trim_start_matches([' ', '*']);
    }
    rest.strip_prefix('<')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(name: &str, arguments: Vec<TypeExpr>) -> TypeExpr {
        TypeExpr::Named(vec![name.to_owned()], arguments)
    }

    #[test]
    fn types_are_read_as_far_as_members_need() {
        assert_eq!(
            parse("Promise<User[] | null>"),
            named("Promise", vec![TypeExpr::Array(Box::new(named("User", vec![])))])
        );
        assert_eq!(
            parse("(c: Context<E>, next: () => void) => Response"),
            TypeExpr::Function(
                vec![
                    named("Context", vec![named("E", vec![])]),
                    TypeExpr::Function(vec![], Box::new(named("void", vec![])))
                ],
                Box::new(named("Response", vec![]))
            )
        );
        assert_eq!(
            parse("{ db: PrismaClient; find(id: string): User }"),
            TypeExpr::Object(vec![
                ("db".to_owned(), named("PrismaClient", vec![])),
                ("find".to_owned(), TypeExpr::Function(vec![named("string", vec![])], Box::new(named("User", vec![])))),
            ])
        );
        assert_eq!(parse("Api['users']"), TypeExpr::Indexed(Box::new(named("Api", vec![])), "users".to_owned()));
        assert_eq!(parse("typeof db.users"), TypeExpr::TypeOf(vec!["db".to_owned(), "users".to_owned()]));
    }

    #[test]
    fn constraints_of_type_parameters_are_kept() {
        let found = type_parameters("function f<T extends Store, U = string>(t: T)", "f");
        let parameter = |name: &str, constraint, default| TypeParameter { name: name.to_owned(), constraint, default };
        let expected =
            [parameter("T", Some(named("Store", vec![])), None), parameter("U", None, Some(named("string", vec![])))];
        assert_eq!(found, expected);
    }

    #[test]
    fn arguments_of_other_types_are_no_parameters() {
        let names = |signature: &str, name: &str| {
            type_parameters(signature, name).into_iter().map(|own| own.name).collect::<Vec<_>>()
        };
        assert_eq!(names("export class Rows<K> extends Store<Row>", "Rows"), ["K"]);
        assert_eq!(names("export class Rows extends Store<Row>", "Rows"), [] as [&str; 0]);
        assert_eq!(names("type Context = Awaited<ReturnType<typeof make>>", "Context"), [] as [&str; 0]);
        assert_eq!(names("const context = createContext<Api>(x)", "context"), [] as [&str; 0]);
        assert_eq!(names("const same = async <T,>(value: T) =>", "same"), ["T"]);
        assert_eq!(names("export default function <T>(value: T)", "default"), ["T"]);
    }

    proptest! {
        #[test]
        fn no_text_panics_the_reader(text in "[a-zA-Z<>(){}\\[\\]|&:;,=.'? é]{0,60}") {
            parse(&text);
            type_parameters(&text, "a");
        }
    }
}
