//! Extractor tests.

mod trees;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::progress::NoProgress;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

/// Facts of `source` as the file with this extension.
fn facts(extension: &str, source: &str) -> FileFacts {
    let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
    TYPESCRIPT.read(extension, source, &mut parser).expect("no cancellation is set")
}

#[test]
fn a_const_arrow_function_is_an_exported_function() {
    let found =
        facts("ts", "/** Doc. */\nexport const load = async (id: string, { db }: Ctx): Promise<User> => find(id);\n");
    assert_eq!(
        found.symbols,
        [Symbol {
            name: "load".into(),
            qualified: "load".into(),
            kind: SymbolKind::Function,
            container: None,
            member_of: None,
            of_trait: None,
            exported: true,
            default_export: false,
            is_async: true,
            test: false,
            has_body: true,
            takes_self: false,
            span: Span { start: 12, end: 91 },
            lines: Lines { start: 2, end: 2 },
            name_line: 2,
            signature: "export const load = async (id: string, { db }: Ctx): Promise<User> =>".into(),
            parameters: vec![
                Parameter {
                    name: "id".into(),
                    destructured: vec![],
                    declared_type: Some("string".into()),
                    attributes: vec![]
                },
                Parameter {
                    name: Name::default(),
                    destructured: vec![("db".into(), "db".into())],
                    declared_type: Some("Ctx".into()),
                    attributes: vec![]
                },
            ],
            return_type: Some("Promise<User>".into()),
            attributes: vec![],
            documented: true,
            tokens: 66,
            complexity: 1,
        }]
    );
    assert_eq!(found.calls.len(), 1);
    assert_eq!((found.calls[0].caller, &found.calls[0].usage), (Some(0), &Usage::Returned));
}

/// `qualified Kind` of every symbol, with the marks that are set.
fn symbols(found: &FileFacts) -> Vec<String> {
    let marks = |symbol: &Symbol| {
        let all = [
            (symbol.exported, " exported"),
            (symbol.default_export, " default"),
            (symbol.test, " test"),
            (!symbol.has_body, " declared"),
            (symbol.takes_self, " self"),
        ];
        all.into_iter().filter(|(set, _)| *set).map(|(_, mark)| mark).collect::<String>()
    };
    found.symbols.iter().map(|symbol| format!("{} {:?}{}", symbol.qualified, symbol.kind, marks(symbol))).collect()
}

/// `name usage` of every call, with its caller.
fn calls(found: &FileFacts) -> Vec<String> {
    let caller = |call: &CallSite| match call.caller {
        Some(index) => found.symbols[index as usize].qualified,
        None => "-".into(),
    };
    let awaited = |call: &CallSite| if call.awaited { " awaited" } else { "" };
    found
        .calls
        .iter()
        .map(|call| format!("{}: {} {:?}{}", caller(call), call.name, call.usage, awaited(call)))
        .collect()
}

#[test]
fn classes_and_their_members_are_symbols() {
    let found = facts(
        "ts",
        "@Injectable()\nexport class Store<T> extends Base<T> implements Port, Other {\n\
         static make(): Store { return new Store(); }\n\
         constructor(private readonly db: Db, plain: number) { super(); }\n\
         @Get('/') async list() {}\n  find(id: string): T;\n  find(id: any) { return id; }\n\
         handler = async () => { await this.list(); };\n  count = 0;\n  #secret() {}\n  get size() { return 1; }\n}",
    );
    assert_eq!(
        symbols(&found),
        [
            "Store Class exported",
            "Store.make Method exported",
            "Store.constructor Constructor exported",
            "Store.list Method exported self",
            "Store.find Method exported declared self",
            "Store.find Method exported self",
            "Store.handler Method exported self",
            "Store.#secret Method self",
            "Store.size Method exported self",
        ]
    );
    assert_eq!(found.symbols[0].attributes, ["Injectable()"]);
    assert_eq!(found.symbols[3].attributes, ["Get('/')"]);
    assert_eq!(found.symbols[0].signature, "export class Store<T> extends Base<T> implements Port, Other");
    let heritage: Vec<_> = found.heritage.iter().map(|h| (h.of.as_str(), h.base.as_str(), h.kind)).collect();
    assert_eq!(
        heritage,
        [
            ("Store", "Base", HeritageKind::Extends),
            ("Store", "Port", HeritageKind::Implements),
            ("Store", "Other", HeritageKind::Implements)
        ]
    );
    let fields: Vec<_> = found.bindings.iter().map(|b| (b.name.as_str(), b.kind, b.declared_type.as_deref())).collect();
    assert_eq!(
        fields,
        [
            ("db", BindingKind::ParameterProperty, Some("Db")),
            ("handler", BindingKind::Field, None),
            ("count", BindingKind::Field, None)
        ]
    );
}

#[test]
fn interfaces_and_object_types_have_members() {
    let found = facts(
        "ts",
        "export interface Port extends Base { send(x: string): void; db: Db }\ntype Props = { run(): void; name: string };\n\
         type Both = A & { extra: string };\nenum Color { Red }\nnamespace deep { export function inner() {} }",
    );
    assert_eq!(
        symbols(&found),
        [
            "Port Interface exported",
            "Port.send Method exported declared self",
            "Props TypeAlias",
            "Props.run Method declared self",
            "Both TypeAlias",
            "Color Enum",
            "deep Module",
            "deep.inner Function exported",
        ]
    );
    let fields: Vec<_> = found.bindings.iter().map(|b| (b.member_of.as_deref(), b.name.as_str())).collect();
    assert_eq!(fields, [(Some("Port"), "db"), (Some("Props"), "name"), (Some("Both"), "extra")]);
    assert_eq!(found.symbols[4].return_type.as_deref(), Some("A & { extra: string }"));
}

#[test]
fn functions_take_the_name_they_are_bound_to() {
    let found = facts(
        "tsx",
        "const Button = memo(forwardRef((props, ref) => render(props)));\n\
         const api = { list() { a(); }, nested: { get: () => b() } };\n\
         function make() { return { close() { c(); } }; }\n\
         app.get('/x', async (c) => { d(); });\n\
         exports.one = function () { e(); };\nThing.prototype.two = function () { f(); };\n\
         export default { fetch() { g(); } };",
    );
    assert_eq!(
        symbols(&found),
        [
            "Button Function",
            "api Constant",
            "api.list Method self",
            "api.nested.get Method self",
            "make Function",
            "make.close Method self",
            "one Function exported",
            "Thing.two Method self",
            "default Constant exported default",
            "default.fetch Method self",
        ]
    );
    let callers: Vec<String> = calls(&found)
        .into_iter()
        .filter(|line| line.split(": ").nth(1).is_some_and(|call| call.as_bytes()[1] == b' '))
        .collect();
    assert_eq!(
        callers,
        [
            "api.list: a Discarded",
            "api.nested.get: b Returned",
            "make.close: c Discarded",
            "-: d Discarded",
            "one: e Discarded",
            "Thing.two: f Discarded",
            "default.fetch: g Discarded",
        ]
    );
}

#[test]
fn every_use_of_a_value_is_told_apart() {
    let found = facts(
        "ts",
        "async function run() {\n  a(); void b(); const x = await c(); const { y } = d(); this.z = e(); g(h()).i();\n\
         if (j() && k()) {}\n  const t = `${l()}`; [m()]; ({ n: n() }); o() ? p() : q(); r() === 1; s().u; return (v())!;\n}",
    );
    let run = |rest: &str| format!("run: {rest}");
    assert_eq!(
        calls(&found),
        [
            "a Discarded",
            "b Ignored",
            "c Bound(\"x\") awaited",
            "d Bound(\"\")",
            "e Assigned",
            "g Receiver(7)",
            "h Argument(5)",
            "i Discarded",
            "j Tested",
            "k Tested",
            "l Operand",
            "m Element",
            "n Element",
            "o Tested",
            "p Discarded",
            "q Discarded",
            "r Operand",
            "s Operand",
            "v Returned",
        ]
        .map(run)
    );
    let places: Vec<u32> = found.calls.iter().map(|call| call.statement.index).take(8).collect();
    assert_eq!(places, [0, 1, 2, 3, 4, 5, 5, 5]);
}

#[test]
fn loops_say_what_they_run_over_and_whether_they_end_early() {
    let found = facts(
        "ts",
        "function f(xs) {\n  for (const { id } of xs) { g(id); }\n  for (const k in xs) { if (k) break; }\n\
         for (let i = 0; i < 3; i++) { switch (i) { case 1: break; } }\n  while (true) { return; }\n\
         for await (const y of z()) { xs.map((q) => { return q; }); }\n}",
    );
    let loops: Vec<_> = found
        .regions
        .iter()
        .filter_map(|region| match &region.kind {
            RegionKind::Loop(head) => {
                Some((head.form, crate::repo_map::name::joined(&head.bindings, " "), head.is_async, head.exits_early))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        loops,
        [
            (LoopForm::Each, "id".to_owned(), false, false),
            (LoopForm::Keys, "k".to_owned(), false, true),
            (LoopForm::Counter, "i".to_owned(), false, false),
            (LoopForm::Endless, String::new(), false, true),
            (LoopForm::Each, "y".to_owned(), true, false),
        ]
    );
    // Each loop, `if` and `case` is a branch.
    assert_eq!(found.symbols[0].complexity, 8);
    let z = found.calls.iter().find(|call| call.name == "z").expect("the source calls z");
    assert_eq!(z.region, None, "what a loop runs over is worked out once");
}

#[test]
fn callbacks_are_regions_with_their_parameters() {
    let found =
        facts("ts", "function f() { xs.map(async ({ id, a: { b } }: X, i) => { g(id); }); const h = [() => 1]; }");
    let callbacks: Vec<_> = found.regions.iter().map(|region| region.kind.clone()).collect();
    let map = found.calls.iter().position(|call| call.name == "map").map(|index| index as u32);
    let parameters = ["id", "b", "i"].map(Name::from).to_vec();
    assert_eq!(
        callbacks,
        [
            RegionKind::Callback { call: map, is_async: true, parameters, block_body: true },
            RegionKind::Callback { call: None, is_async: false, parameters: vec![], block_body: false },
        ]
    );
    let typed: Vec<_> =
        found.bindings.iter().map(|b| (b.name.as_str(), b.taken.as_deref(), b.declared_type.as_deref())).collect();
    let expected =
        [("id", Some("id"), Some("X")), ("b", Some("a.b"), Some("X")), ("i", Some("1"), None), ("h", None, None)];
    assert_eq!(typed, expected);
}

#[test]
fn error_handlers_say_what_they_do() {
    let found = facts(
        "ts",
        "function f() {\n  try { a(); } catch {}\n  try { b(); } catch (e) { log(e); throw e; }\n\
         try { c(); } catch (e) { /* expected */ return null; } finally { d(); }\n\
         p().catch(() => {});\n  p().catch((e) => fallback);\n  p().catch(report);\n}",
    );
    let handlers: Vec<_> = found
        .catches
        .iter()
        .map(|c| (c.form, c.error.as_deref(), c.is_empty, c.has_comment, c.rethrows, c.has_fallback, c.uses_error))
        .collect();
    assert_eq!(
        handlers,
        [
            (CatchForm::Block, None, true, false, false, false, false),
            (CatchForm::Block, Some("e"), false, false, true, false, true),
            (CatchForm::Block, Some("e"), false, true, false, true, false),
            (CatchForm::Method, None, true, false, false, false, false),
            (CatchForm::Method, Some("e"), false, false, false, true, false),
        ]
    );
}

#[test]
fn imports_and_exports_of_every_form_are_read() {
    let found = facts(
        "ts",
        "import def, { a, b as c, type T, default as d } from './m';\nimport * as ns from 'pkg';\nimport type { U } from './t';\n\
         import './side';\nimport eq = require('./eq');\nconst { x, y: z } = require('./cjs');\nconst lazy = await import('./lazy');\n\
         export { a, c as renamed };\nexport * from './all';\nexport * as all from './all';\nexport { default } from './m';\n\
         export type { T } from './t';\nexport default def;\nmodule.exports.one = a;",
    );
    let imports: Vec<_> = found
        .imports
        .iter()
        .map(|i| format!("{} {:?} {}{}", i.source, i.item, i.local, if i.type_only { " type" } else { "" }))
        .collect();
    assert_eq!(
        imports,
        [
            "./m Default def",
            "./m Named(\"a\") a",
            "./m Named(\"b\") c",
            "./m Named(\"T\") T type",
            "./m Default d",
            "pkg Namespace ns",
            "./t Named(\"U\") U type",
            "./side SideEffect ",
            "./eq Namespace eq",
            "./cjs Named(\"x\") x",
            "./cjs Named(\"y\") z",
            "./lazy Dynamic ",
        ]
    );
    let from = |source: &str, name: &str| ExportTarget::From { source: source.into(), name: name.into() };
    let exports: Vec<_> = found.exports.iter().map(|e| (e.name.as_str(), e.target.clone(), e.type_only)).collect();
    assert_eq!(
        exports,
        [
            ("a", ExportTarget::Local("a".into()), false),
            ("renamed", ExportTarget::Local("c".into()), false),
            ("*", from("./all", "*"), false),
            ("all", from("./all", "*"), false),
            ("default", from("./m", "default"), false),
            ("T", from("./t", "T"), true),
            ("default", ExportTarget::Local("def".into()), false),
            ("one", ExportTarget::Local("a".into()), false),
        ]
    );
}

#[test]
fn decorators_keep_what_they_write_down_and_nothing_else() {
    let found = facts(
        "ts",
        "import { User } from './user';\nimport { Order } from './order';\nimport { Event } from './event';\nimport { Base } from './base';\n\
         @Entity()\nexport class Subscriber {\n  @Column() owner: User | null;\n  constructor(private readonly order: Order) {}\n  \
         hash(event: Update<Event>) {}\n  register<H extends Base>(helper: H): Base[] { return [helper]; }\n}\n",
    );
    let types: Vec<&str> =
        found.imports.iter().filter(|import| import.type_only).map(|import| import.local.as_str()).collect();
    assert_eq!(types, ["Event", "Base"]);
}

#[test]
fn elements_tags_and_decorators_are_calls() {
    let found = facts(
        "tsx",
        "@Controller('x')\nclass A { @Input name: string; }\nconst q = sql`select ${id}`;\n\
         const v = <ui.Box a=\"1\" on={() => go()} {...rest}><b>{f()}</b><Item<string> /></ui.Box>;\nnew Map<string, A>();",
    );
    let kinds: Vec<_> = found.calls.iter().map(|call| (call.name.as_str(), call.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("Controller", CallKind::Decorator),
            ("Input", CallKind::Decorator),
            ("sql", CallKind::Template),
            ("Box", CallKind::Jsx),
            ("go", CallKind::Call),
            ("f", CallKind::Call),
            ("Item", CallKind::Jsx),
            ("Map", CallKind::New),
        ]
    );
    let Expr::Object(attributes) = &found.calls[3].arguments[0] else { panic!("attributes are an object") };
    let keys: Vec<&str> = attributes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "on", "..."]);
    assert_eq!(found.calls[7].type_arguments.as_deref(), Some("string, A"));
}

#[test]
fn tests_are_known_by_their_runner() {
    let found = facts(
        "ts",
        "describe('a', () => { const build = () => {}; it.each([1])('b', () => { function inner() {} }); });\nfunction prod() {}",
    );
    assert_eq!(symbols(&found), ["build Function test", "inner Function test", "prod Function"]);
}

#[test]
fn names_only_defined_are_no_references() {
    let found = facts(
        "ts",
        "import { used, unused } from './m';\nfunction recurse() { recurse(); }\nfunction called({ key }) {}\ncalled(used);",
    );
    assert_eq!(found.references, ["called", "used"]);
}

#[test]
fn comments_apply_to_the_next_line_of_code() {
    let found =
        facts("ts", "// TODO: x\n\n/** Doc. */\nexport function f() {\n  g(); // improve-ignore: rule — fine\n}");
    let comments: Vec<_> = found.comments.iter().map(|c| (c.kind, c.line, c.applies_to)).collect();
    assert_eq!(comments, [(CommentKind::Marker, 1, 4), (CommentKind::Suppression, 5, 5)]);
    assert!(found.symbols[0].documented);
}

#[test]
fn damage_stays_within_its_statement() {
    let found = facts(
        "ts",
        "export function before() { a(); }\nexport interface Bad {\n  <I = {}>(x: I): [I]\n\n  // overload\n  <I = {}, J = I>(x: I): [J]\n}\n\
         export const after = () => { b(); };\nexport type * from './x';\nexport class Late { run() { c(); } }\n",
    );
    assert!(found.partly_read);
    let names: Vec<&str> = found.symbols.iter().map(|symbol| symbol.qualified.as_str()).collect();
    assert!(["before", "after", "Late", "Late.run"].iter().all(|name| names.contains(name)), "found {names:?}");
    assert_eq!(calls(&found), ["before: a Discarded", "after: b Discarded", "Late.run: c Discarded"]);
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("f(", ")"), ("!", ""), ("() => {", "}"), ("{", "}"), ("if (x) ", ";")]
    {
        let source = format!("{}x{}", open.repeat(3000), close.repeat(3000));
        let worker = std::thread::Builder::new().stack_size(1 << 20);
        let handle = worker.spawn(move || facts("ts", &source).symbols.len()).expect("a thread starts");
        assert_eq!(handle.join().expect("no overflow and no panic"), 0, "{open}");
    }
    let chain = format!("x{}", ".f()".repeat(3000));
    assert_eq!(facts("tsx", &chain).calls.len(), 3000);
}

proptest! {
    #[test]
    fn no_text_panics_the_extractor(text in "\\PC*", extension in prop::sample::select(vec!["ts", "tsx"])) {
        facts(extension, &text);
    }

    #[test]
    fn no_heap_of_code_panics_the_extractor(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "export ", "default ", "const ", "x", " = ", "(", ")", "{", "}", "[", "]", "=>", "async ", "await ", "class A ",
                "extends B ", "import ", "from 'y'", ";", "\n", "<A ", "/>", ">", "</A>", "`${", "`", "try ", "catch ", "(e) ", ".catch",
                "for ", "of ", "if ", "else ", "switch ", "case 1:", "@d ", "new ", "function ", "*", "...", ", ", ": T", "?.", "é", "/* ", "*/",
                "interface I ", "type T = ", "namespace n ", "require('z')", "module.exports", "return ", "'s'", "export * as ns",
            ]),
            0..40,
        ),
        extension in prop::sample::select(vec!["ts", "tsx"]),
    ) {
        facts(extension, &parts.concat());
    }
}

#[test]
fn words_before_a_call_with_type_arguments_belong_to_the_whole_call() {
    let source = "async function run() {\n  await f<A>(x);\n  const y = await a.b<A>(x).c();\n  if (!g<A>(x)) {}\n  void h<A>(x);\n\
         \x20 return (await i<A>(x)).d;\n  k(await l?.<A>(x));\n  (await m())<A>(x);\n}";
    let found = facts("ts", source);
    assert_eq!(
        calls(&found),
        [
            "run: f Discarded awaited",
            "run: b Receiver(2)",
            "run: c Bound(\"y\") awaited",
            "run: g Tested",
            "run: h Ignored",
            "run: i Operand awaited",
            "run: k Discarded",
            "run: l Argument(6) awaited",
            "run: m Receiver(9) awaited",
            "run:  Discarded",
        ]
    );
    let text = |call: &CallSite| source[call.span.start as usize..call.span.end as usize].to_owned();
    assert_eq!(
        found.calls.iter().take(5).map(text).collect::<Vec<_>>(),
        ["f<A>(x)", "a.b<A>(x)", "a.b<A>(x).c()", "g<A>(x)", "h<A>(x)"]
    );
    assert_eq!(found.calls[0].callee, Expr::Name("f".into()));
    let y = found.bindings.iter().find(|binding| binding.name == "y").and_then(|binding| binding.value.clone());
    assert_eq!(y, Some(Expr::Await(Box::new(Expr::Call(2)))));
}

#[test]
fn asking_whether_there_is_a_value_is_no_test_of_it() {
    let found = facts("ts", "function run() {\n  if (a.b?.()) {}\n  const x = !a?.c();\n  return d() ?? e();\n}");
    assert_eq!(calls(&found), ["run: b Passed", "run: c Passed", "run: d Returned", "run: e Returned"]);
}

#[test]
fn every_statement_of_a_damaged_file_keeps_its_place() {
    let source = "export const broken = <;\nconst a = one(1);\n\nconst b = two(\n  2,\n);\n";
    let found = facts("ts", source);
    assert!(found.partly_read);
    let calls: Vec<(&str, u32, u32)> =
        found.calls.iter().map(|call| (call.name.as_str(), call.line, call.end_line)).collect();
    assert_eq!(calls, [("one", 2, 2), ("two", 4, 6)]);
}

#[test]
fn locals_that_are_only_read_say_how() {
    let source = "async function run(id) {\n  const a = load(id);\n  const b = load(id);\n  const c = load(id);\n  const d = load(id);\n  \
                  const e = load(id);\n  const f = load(id);\n  a.name;\n  await b;\n  b.name;\n  if (c) return { ...c };\n  all.push({ d });\n  \
                  get(e, 'name');\n  f.then(done);\n}\n";
    let facts = facts("ts", source);
    let reads: Vec<String> = facts
        .local_reads
        .iter()
        .map(|read| {
            let site = facts.call(read.call);
            let name = match &site.usage {
                Usage::Bound(name) => name.as_str(),
                _ => "",
            };
            format!("{name} {:?}", read.usage)
        })
        .collect();
    let get = facts.calls.iter().position(|site| site.name == "get").expect("the source calls it");
    assert_eq!(reads, ["a Operand".to_owned(), "c Tested".into(), "c Operand".into(), format!("e Argument({get})")]);
}

#[test]
fn elements_shown_on_a_condition_stand_in_a_branch() {
    let found = facts(
        "tsx",
        "const Row = ({ open, item }) => (<li>{open && <Details item={item} />}<Name item={item} /></li>);",
    );
    let branches: Vec<_> = found
        .calls
        .iter()
        .map(|call| {
            (
                call.name.as_str(),
                found.enclosing_regions(call.region).any(|(_, region)| region.kind == RegionKind::Branch),
            )
        })
        .collect();
    assert_eq!(branches, [("Details", true), ("Name", false)]);
}

#[test]
fn kinds_whose_children_are_not_asked_for_a_field_have_none() {
    for node_types in [tree_sitter_typescript::TYPESCRIPT_NODE_TYPES, tree_sitter_typescript::TSX_NODE_TYPES] {
        crate::map::syntax::tests::assert_without_fields(node_types, super::WITHOUT_FIELDS);
    }
}

#[test]
fn what_is_shown_on_a_condition_is_no_branch() {
    let complexity = |body: &str| facts("tsx", &format!("function A(p) {{ {body} }}")).symbols[0].complexity;
    assert_eq!(complexity("return <>{p.a && <B />}{p.c ? <D /> : null}{p.e && (<F />)}</>;"), 1);
    assert_eq!(complexity("return <>{p.a && p.b}{p.c ? 'd' : 'e'}</>;"), 3);
    assert_eq!(complexity("if (p.a && p.b) { return p.c ? <D /> : null; }"), 4);
}
