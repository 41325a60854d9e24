//! One test a construct: what the extractor makes of a few lines.

use std::sync::LazyLock;
use std::time::Duration;

use super::RUST;
use crate::map::syntax::SyntaxParser;
use crate::map::syntax::grammar::Grammar;
use crate::progress::NoProgress;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

fn facts(source: &str) -> FileFacts {
    let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
    RUST.read("rs", source, &mut parser).expect("no cancellation is set")
}

fn name(text: &str) -> Expr {
    Expr::Name(text.into())
}

fn member(object: Expr, text: &str) -> Expr {
    Expr::Member(Box::new(object), text.into())
}

fn path(text: &str) -> Expr {
    Expr::Path(text.split("::").map(Name::from).collect())
}

/// Name, line and usage of every call.
fn usages(source: &str) -> Vec<(Name, u32, Usage)> {
    facts(source).calls.into_iter().map(|call| (call.name, call.line, call.usage)).collect()
}

fn usage(name: &str, line: u32, usage: Usage) -> (Name, u32, Usage) {
    (name.into(), line, usage)
}

#[test]
fn a_method_is_described_whole() {
    let source = "struct Orders<T>(T);\nimpl<T: Clone> Orders<T>\nwhere\n    T: Send,\n{\n    /// Finds one.\n    #[inline]\n    pub async fn find(&self, id: u32, (a, b): (u8, u8)) -> Option<T> {\n        if id > 1 && a == b { None } else { None }\n    }\n}\n";
    let found = facts(source);
    let start = source.find("pub async").expect("written above") as u32;
    let end = source.rfind("    }\n").expect("likewise") as u32 + 5;
    let code: u32 = source[start as usize..end as usize].split_whitespace().map(|word| word.len() as u32).sum();
    let expected = Symbol {
        name: "find".into(),
        qualified: "Orders::find".into(),
        kind: SymbolKind::Method,
        container: Some(0),
        member_of: Some("Orders".into()),
        of_trait: None,
        exported: true,
        default_export: false,
        is_async: true,
        test: false,
        has_body: true,
        takes_self: true,
        span: Span { start, end },
        lines: Lines { start: 8, end: 10 },
        name_line: 8,
        signature: "pub async fn find(&self, id: u32, (a, b): (u8, u8)) -> Option<T>".into(),
        parameters: vec![
            Parameter {
                name: "id".into(),
                destructured: vec![],
                declared_type: Some("u32".into()),
                attributes: vec![],
            },
            Parameter {
                name: Name::default(),
                destructured: vec![("0".into(), "a".into()), ("1".into(), "b".into())],
                declared_type: Some("(u8, u8)".into()),
                attributes: vec![],
            },
        ],
        return_type: Some("Option<T>".into()),
        attributes: vec!["inline".into()],
        documented: true,
        tokens: code,
        complexity: 3,
    };
    assert_eq!(found.symbols[1], expected);
    let bounds: Vec<(u32, &str, &str)> =
        found.generics.iter().map(|own| (own.symbol, own.name.as_str(), own.bound.as_str())).collect();
    assert_eq!(bounds, [(0, "T", ""), (1, "T", ""), (1, "T", "Clone"), (1, "T", "Send")]);
}

#[test]
fn traits_modules_enums_and_tests_have_their_places() {
    let found = facts(
        "pub trait Load: Sized { type Out: Clone; fn load() -> Self; fn again(&self) {} }
impl Load for crate::a::Store<u8> { type Out = u8; fn load() -> Self { todo!() } }
enum Shape { Circle(f64), Square { side: f64 } }
#[cfg(test)]
mod tests { #[tokio::test] async fn works() {} fn helper() {} mod deep; }
#[path = \"x/y.rs\"] mod other;
macro_rules! m { () => {} }
static mut COUNT: u8 = 0;",
    );
    let symbols: Vec<_> = found
        .symbols
        .iter()
        .map(|own| (own.qualified.as_str(), own.kind, own.exported, own.test, own.has_body, own.container))
        .collect();
    assert_eq!(
        symbols,
        [
            ("Load", SymbolKind::Trait, true, false, true, None),
            ("Load::Out", SymbolKind::TypeAlias, true, false, false, Some(0)),
            ("Load::load", SymbolKind::Method, true, false, false, Some(0)),
            ("Load::again", SymbolKind::Method, true, false, true, Some(0)),
            ("Store::Out", SymbolKind::TypeAlias, true, false, true, None),
            ("Store::load", SymbolKind::Method, true, false, true, None),
            ("Shape", SymbolKind::Enum, false, false, true, None),
            ("tests", SymbolKind::Module, false, true, true, None),
            ("tests::works", SymbolKind::Function, false, true, true, Some(7)),
            ("tests::helper", SymbolKind::Function, false, true, true, Some(7)),
            ("m", SymbolKind::Macro, false, false, true, None),
            ("COUNT", SymbolKind::Constant, false, false, true, None),
        ]
    );
    let heritage = |of: &str, base: &str, kind, line| Heritage { of: of.into(), base: base.into(), kind, line };
    assert_eq!(
        found.heritage,
        [
            heritage("Load", "Sized", HeritageKind::Extends, 1),
            heritage("crate::a::Store", "Load", HeritageKind::Implements, 2)
        ]
    );
    assert_eq!(
        found.modules,
        [
            ModuleDeclaration { name: "deep".into(), within: vec!["tests".into()], path: None, test: true, line: 5 },
            ModuleDeclaration {
                name: "other".into(),
                within: vec![],
                path: Some("x/y.rs".into()),
                test: false,
                line: 6
            },
        ]
    );
    let fields: Vec<(&str, Option<&str>, Option<&str>)> = found
        .bindings
        .iter()
        .map(|own| (own.name.as_str(), own.member_of.as_deref(), own.declared_type.as_deref()))
        .collect();
    assert_eq!(
        fields,
        [
            ("Circle", Some("Shape"), None),
            ("0", Some("Shape::Circle"), Some("f64")),
            ("Square", Some("Shape"), None),
            ("side", Some("Shape::Square"), Some("f64")),
            ("COUNT", None, Some("u8")),
        ]
    );
}

#[test]
fn use_trees_are_flattened() {
    let found = facts(
        "pub use a::{self, b::{c as d, e::*}, f};\nuse g;\nmod m { use super::h as _; }\nfn x() { use i::J; }\nextern crate k as l;",
    );
    let import = |source: &str, item, local: &str, within: &[&str], reexported, line| Import {
        source: source.into(),
        item,
        local: local.into(),
        type_only: false,
        within: within.iter().map(|&name| name.into()).collect(),
        reexported,
        line,
    };
    let named = |text: &str| ImportItem::Named(text.into());
    assert_eq!(
        found.imports,
        [
            import("", named("a"), "a", &[], true, 1),
            import("a::b", named("c"), "d", &[], true, 1),
            import("a::b::e", ImportItem::Glob, "", &[], true, 1),
            import("a", named("f"), "f", &[], true, 1),
            import("", named("g"), "g", &[], false, 2),
            import("super", named("h"), "_", &["m"], false, 3),
            import("i", named("J"), "J", &["fn x"], false, 4),
            import("", named("k"), "l", &[], false, 5),
        ]
    );
}

#[test]
fn a_call_site_is_described_whole() {
    let source = "async fn f() -> R {\n    let user = client\n        .get::<User>(&url, 3)\n        .await?;\n}";
    let start = source.find("client").expect("written above") as u32;
    let end = source.find(")\n        .await").expect("likewise") as u32 + 1;
    assert_eq!(
        facts(source).calls,
        [CallSite {
            callee: member(name("client"), "get"),
            name: "get".into(),
            kind: CallKind::Call,
            caller: Some(0),
            region: None,
            span: Span { start, end },
            line: 3,
            end_line: 3,
            usage: Usage::Bound("user".into()),
            awaited: true,
            propagated: true,
            arguments: vec![Expr::Unary("&".into(), Box::new(name("url"))), Expr::Number("3".into())],
            type_arguments: Some("User".into()),
            statement: StatementRef { block: 1, index: 0 },
        }]
    );
}

#[test]
fn every_use_of_a_value_is_told() {
    let source = "fn f() -> u8 {
    a();
    let _ = b();
    let (x, y) = c();
    s.t = d();
    if e() && !g() { h(i()); }
    j().k();
    [l()];
    m() == n();
    let v = if o() { p() } else { q() };
    _ = r();
    return u();
    w()
}";
    assert_eq!(
        usages(source),
        [
            usage("a", 2, Usage::Discarded),
            usage("b", 3, Usage::Ignored),
            usage("c", 4, Usage::Bound(Name::default())),
            usage("d", 5, Usage::Assigned),
            usage("e", 6, Usage::Tested),
            usage("g", 6, Usage::Tested),
            usage("h", 6, Usage::Discarded),
            usage("i", 6, Usage::Argument(6)),
            usage("j", 7, Usage::Receiver(9)),
            usage("k", 7, Usage::Discarded),
            usage("l", 8, Usage::Element),
            usage("m", 9, Usage::Operand),
            usage("n", 9, Usage::Operand),
            usage("o", 10, Usage::Tested),
            usage("p", 10, Usage::Bound("v".into())),
            usage("q", 10, Usage::Bound("v".into())),
            usage("r", 11, Usage::Ignored),
            usage("u", 12, Usage::Returned),
            usage("w", 13, Usage::Returned),
        ]
    );
}

#[test]
fn macro_arguments_are_read_at_their_own_places() {
    let source = "fn f() {
    println!(
        \"{} {name} {0}\",
        first(1),
    );
    let s = format!(\"a{}b\", x);
    let l = vec![second(), 2];
    assert!(matches!(third(), Some(_) if fourth()));
    select! { v = fifth() => { sixth(v) }, _ = seventh(), if eighth() => ninth(), }
    json!({ \"k\": tenth(), \"l\": [ { \"m\": eleventh() } ] });
    info!(user = %twelfth(), \"done\");
    custom!(thirteenth(), |x: Y| x.fourteenth());
}";
    let found = facts(source);
    let names: Vec<(&str, u32)> = found
        .calls
        .iter()
        .filter(|call| call.kind == CallKind::Call)
        .map(|call| (call.name.as_str(), call.line))
        .collect();
    assert_eq!(
        names,
        [
            ("first", 4),
            ("second", 7),
            ("third", 8),
            ("fourth", 8),
            ("fifth", 9),
            ("sixth", 9),
            ("seventh", 9),
            ("eighth", 9),
            ("ninth", 9),
            ("tenth", 10),
            ("eleventh", 10),
            ("twelfth", 11),
            ("thirteenth", 12),
            ("fourteenth", 12),
        ]
    );
    for call in found.calls.iter().filter(|call| call.kind == CallKind::Call) {
        let text = &source[call.span.start as usize..call.span.end as usize];
        assert!(text.contains(call.name.as_str()) && text.ends_with(')'), "{text} is the call of {}", call.name);
    }
    let template = found.calls[0].arguments.clone();
    let hole = |expr| TemplatePart::Hole(expr);
    let text = |text: &str| TemplatePart::Text(text.into());
    assert_eq!(
        template,
        [Expr::Template(vec![hole(Expr::Call(1)), text(" "), hole(name("name")), text(" "), hole(Expr::Call(1))])]
    );
    let value = |local: &str| found.bindings.iter().find(|own| own.name == local).and_then(|own| own.value.clone());
    assert_eq!(value("s"), Some(Expr::Template(vec![text("a"), hole(name("x")), text("b")])));
    assert_eq!(value("l"), Some(Expr::Array(vec![Expr::Call(4), Expr::Number("2".into())])));
}

#[test]
fn patterns_say_what_they_take() {
    let found = facts(
        "fn f(o: O) {
    let mut a: u8 = 1;
    let Some((b, Point { x: c, d })) = o else { return };
    for (i, e) in o.iter() {}
    while let Ok(g) = o.next() {}
    match o { Shape::Circle(h) if h > 1 => {}, all @ _ => {} }
    o.map(|(j, _)| j);
}",
    );
    let bindings: Vec<(&str, BindingKind, Option<&str>, bool)> = found
        .bindings
        .iter()
        .map(|own| (own.name.as_str(), own.kind, own.taken.as_deref(), own.value.is_some()))
        .collect();
    assert_eq!(
        bindings,
        [
            ("a", BindingKind::Variable, None, true),
            ("b", BindingKind::Constant, Some("Some.0.0"), true),
            ("c", BindingKind::Constant, Some("Some.0.1.Point.x"), true),
            ("d", BindingKind::Constant, Some("Some.0.1.Point.d"), true),
            ("i", BindingKind::Pattern, Some("*.0"), true),
            ("e", BindingKind::Pattern, Some("*.1"), true),
            ("g", BindingKind::Pattern, Some("Ok.0"), true),
            ("h", BindingKind::Pattern, Some("Shape::Circle.0"), true),
            ("all", BindingKind::Pattern, None, true),
            ("j", BindingKind::Pattern, Some("0.0"), false),
        ]
    );
    assert_eq!(found.bindings[0].declared_type.as_deref(), Some("u8"));
}

#[test]
fn regions_nest_as_code_runs() {
    let found = facts(
        "async fn f() {
    for x in xs { if x { break } }
    'out: loop { while ready() { break 'out; } }
    items.iter().map(|i| async move { unsafe { go(i) } });
    let later = |a: A| a.b();
}",
    );
    let regions: Vec<(String, Option<u32>)> = found
        .regions
        .iter()
        .map(|region| {
            let kind = match &region.kind {
                RegionKind::Loop(own) => format!("{:?} {:?} {}", own.form, own.bindings, own.exits_early),
                RegionKind::Callback { call, parameters, .. } => {
                    let to = call.map(|call| found.call(call).name.as_str()).unwrap_or("nothing");
                    format!("to {to} {parameters:?}")
                }
                other => format!("{other:?}"),
            };
            (kind, region.parent)
        })
        .collect();
    let expected = [
        ("Each [\"x\"] true", None),
        ("Branch", Some(0)),
        ("Endless [] true", None),
        ("While [] true", Some(2)),
        ("to map [\"i\"]", None),
        ("AsyncBlock", Some(4)),
        ("UnsafeBlock", Some(5)),
        ("to nothing [\"a\"]", None),
    ];
    assert_eq!(regions, expected.map(|(kind, parent)| (kind.to_owned(), parent)));
    let ready = found.calls.iter().find(|call| call.name == "ready").expect("a call of the case");
    assert_eq!(ready.region, Some(3), "a condition runs once a round");
}

#[test]
fn error_patterns_are_catches() {
    let found = facts(
        "fn f() -> Result<u8, E> {
    if let Err(e) = g() { log(\"{e}\"); }
    match h() { Ok(x) => x, Err(_) => {} }
    match i() { Err(e) => return Err(e), Ok(_) => {} }
    match j() { Err(_) => 0, Ok(n) => n };
    if let Err(_) = k() { // best effort
    }
}",
    );
    let catches: Vec<(Option<&str>, [bool; 5], u32)> = found
        .catches
        .iter()
        .map(|own| {
            let told = [own.is_empty, own.has_comment, own.rethrows, own.has_fallback, own.uses_error];
            (own.error.as_deref(), told, own.lines.start)
        })
        .collect();
    assert_eq!(
        catches,
        [
            (Some("e"), [false, false, false, false, true], 2),
            (None, [true, false, false, false, false], 3),
            (Some("e"), [false, false, true, false, true], 4),
            (None, [false, false, false, true, false], 5),
            (None, [true, true, false, false, false], 6),
        ]
    );
}

#[test]
fn values_keep_their_form() {
    let found = facts(
        "fn f() { let v = Order { id: 1, ..other::Base::new() }; let t = (A::B, \"x\\n\", None, -1, &y[0], z as u8); total += 2; a != b; }",
    );
    let value = |local: &str| found.bindings.iter().find(|own| own.name == local).and_then(|own| own.value.clone());
    assert_eq!(
        value("v"),
        Some(Expr::Object(vec![
            ("::".into(), name("Order")),
            ("id".into(), Expr::Number("1".into())),
            ("...".into(), Expr::Spread(Box::new(Expr::Call(0)))),
        ]))
    );
    let unary = |operator: &str, inner| Expr::Unary(operator.into(), Box::new(inner));
    let index = Expr::Index(Box::new(name("y")), Box::new(Expr::Number("0".into())));
    assert_eq!(
        value("t"),
        Some(Expr::Array(vec![
            path("A::B"),
            Expr::Text("x\n".into()),
            Expr::Nothing,
            unary("-", Expr::Number("1".into())),
            unary("&", index),
            unary("as", name("z")),
        ]))
    );
    assert_eq!(found.calls[0].callee, path("other::Base::new"));
    assert_eq!((found.assignments[0].operator.as_str(), &found.assignments[0].target), ("+=", &name("total")));
    assert_eq!((found.comparisons[0].operator.as_str(), &found.comparisons[0].left), ("!=", &name("a")));
}

#[test]
fn comments_references_and_lines_come_from_the_leaves() {
    let found = facts("use a::Used;\n// TODO: later\nfn own() { other(Used); }\n");
    assert_eq!(found.references, ["Used", "a", "other"]);
    assert_eq!(found.code_lines.iter().map(|line| line.line).collect::<Vec<_>>(), [3]);
    let comment = Comment { kind: CommentKind::Marker, text: "TODO: later".into(), line: 2, applies_to: 3 };
    assert_eq!(found.comments, [comment]);
}

#[test]
fn broken_code_is_read_as_far_as_it_goes() {
    let found = facts("fn before() { first(); }\nfn broken() { let x = ; second(); ]\nfn after() { third(); }\n");
    assert!(found.partly_read);
    let names: Vec<&str> = found.calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third"]);
}

#[test]
fn deep_nesting_does_not_overflow() {
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("f(", ")"),
        ("if a { ", "}"),
        ("|x| ", ""),
        ("[", "]"),
        ("match a { _ => ", "}"),
        ("m!(", ")"),
    ] {
        let source = format!("fn f() {{ {}1{} }}", open.repeat(3000), close.repeat(3000));
        assert!(facts(&source).partly_read, "{open} is cut");
    }
    for link in [".go()", ".await?", " + 1", " && b", "[0]"] {
        let found = facts(&format!("fn f() {{ a{}; last(); }}", link.repeat(3000)));
        assert!(found.calls.iter().any(|call| call.name == "last"), "{link} is followed");
        assert!(!found.partly_read, "{link} nests to the left");
    }
    facts(&format!("use {}a{};", "a::{".repeat(3000), "}".repeat(3000)));
    facts(&format!("type A = {}u8{};", "Vec<".repeat(3000), ">".repeat(3000)));
    facts(&format!("fn f({}a{}: u8) {{}}", "(".repeat(3000), ")".repeat(3000)));
    facts(&"mod a { ".repeat(3000));
}

proptest::proptest! {
    #[test]
    fn extract_never_panics_on_text(text in "\\PC{0,200}") {
        facts(&text);
    }

    #[test]
    fn extract_never_panics_on_scrambled_code(words in proptest::collection::vec(proptest::sample::select(vec![
        "fn f", "(", ")", "{", "}", "[", "]", "impl", "A", "for x in", "trait T", "<", ">", "::", ".", "self", "use", "a", "let Some(x) =", ";",
        "match", "=>", "|z|", ",", ": &'a", "->", "struct", "=", "!", "println!", "\"{}\"", "vec!", "select!", "json!", "matches!", "proptest!",
        "#[test]", "?", ".await", "é", "r#\"", "//", "/*", "async", "unsafe", "if let Err(e)", "else", "while", "'a:", "break", "return", "..", "1",
    ]), 0..60)) {
        facts(&words.join(" "));
        facts(&words.concat());
    }
}

#[test]
fn kinds_whose_children_are_not_asked_for_a_field_have_none() {
    crate::map::syntax::tests::assert_without_fields(tree_sitter_rust::NODE_TYPES, super::WITHOUT_FIELDS);
}

/// The facts of `source` as the grammar reads it when no macro call is respelt.
fn facts_as_written(source: &str) -> FileFacts {
    static PLAIN: LazyLock<Grammar> =
        LazyLock::new(|| Grammar::new(tree_sitter_rust::LANGUAGE.into(), super::WITHOUT_FIELDS, super::WHOLE));
    let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
    let tree = parser.parse(&PLAIN, source).expect("no cancellation is set");
    super::extract(&tree, source, &mut parser)
}

#[test]
fn respelt_macro_calls_give_the_facts_of_those_as_written() {
    // Calls that are read along, those that are not, and places where a file has to be read as it stands.
    let constructs = [
        "fn f() { assert!(a.b(c) == d?, \"{x} {}\", e()); log::warn!(n = g(), \"m\"); }",
        "fn f() -> String { format!(\"a{}b{c}\", d) + &format!(\"{0}\", e) }",
        "fn f() { check!(name, |dir: Dir, mut cmd: Cmd| { eq!(cmd.run(dir), 1); for x in y { g!(x)?; } }); }",
        "test!(name, |dir: Dir| { dir.make(); });",
        "mod m {\n    items!(a, b);\n    fn f() { g!(1) }\n}\nimpl T {\n    items!(a);\n}",
        "mod m { items!(a, b); } fn f() { g!(h()) }",
        "impl T { items!(a, b); } fn f() { g!(h()) }",
        "fn f(x: X) { match x { pat!(a) => g!(a), _ => {} } }",
        "fn f(x: ty!(A, B)) { let y: ty!(A) = g!(x); }",
        "fn f(x: X) { g!(x as ty!(A)); let y = x as ty!(B); if!(a(x)) { h!(x) } }",
        "#![doc = include_str!(\"a.md\")]\n#[doc = concat!(\"a\", \"b\")]\nfn f() { -g!(x) + *h!(y)? & !i!(z) }",
        "fn f() { a!(b!(c!(d()))); e!(f => g!(h())); vec![i!(j())]; }",
        "fn f() { a! (b()); a!{b()} a![b()]; \"c!(d)\"; /* e!(f) */ }",
        "macro_rules! m { ($a:expr) => { assert!($a); other!(b()) } }",
        "fn f() { println!(); print!(\"\"); todo!(); g!(,); h!(a b); i!(_); }",
        "fn f() { g!(h()) } }",
    ];
    let mut sources: Vec<String> = constructs.map(str::to_owned).into();
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    for entry in ignore::WalkBuilder::new(own).build().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            sources.push(std::fs::read_to_string(entry.path()).expect("a file of the package is readable"));
        }
    }
    for source in sources {
        let (found, expected) = (without_words(facts(&source)), without_words(facts_as_written(&source)));
        assert!(found == expected, "{source}\nread along: {found:#?}\nas written: {expected:#?}");
    }
}

/// `facts` without what the grammar tells apart in code and not in loose tokens: names from words of the language, and where a token
/// ends.
fn without_words(mut facts: FileFacts) -> FileFacts {
    let is_word = |name: &str| {
        matches!(
            name,
            "_" | "as"
                | "default"
                | "union"
                | "raw"
                | "else"
                | "in"
                | "move"
                | "mut"
                | "return"
                | "bool"
                | "char"
                | "str"
                | "usize"
                | "isize"
        ) || name.strip_prefix(['u', 'i', 'f']).is_some_and(|width| width.parse::<u8>().is_ok())
    };
    facts.references.retain(|name| !is_word(name));
    for line in &mut facts.code_lines {
        *line = CodeLine { line: line.line, exact: 0, shape: 0, bag: 0, tokens: 0 };
    }
    facts
}
