//! Trees that are read in parts are what the parser gives for the whole text.

use std::sync::LazyLock;
use std::time::Duration;

use super::super::*;
use crate::map::syntax::compact::Compact;
use crate::map::syntax::head::Head;
use crate::progress::NoProgress;

/// Everything that is known of the tree of `source`, a line a node.
fn shape(grammar: &'static Grammar, source: &str) -> String {
    let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
    let tree = parser.parse(grammar, source).expect("no cancellation is set");
    let mut lines = String::new();
    for node in tree.root_node().with_descendants() {
        let (kind, field, range, after) = (node.kind(), node.field_name(), node.byte_range(), node.after());
        let around = node.parent().map(|parent| parent.id());
        let flags = (node.is_named(), node.is_extra(), node.has_error(), node.is_missing());
        lines += &format!("{kind} {field:?} {range:?} {after} {around:?} {flags:?} {}\n", node.start_row());
    }
    lines
}

/// Parsed as they stand.
static WHOLE_PLAIN: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), WITHOUT_FIELDS, WHOLE));
static WHOLE_JSX: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_typescript::LANGUAGE_TSX.into(), WITHOUT_FIELDS, WHOLE));

/// Asserts that both dialects read `source` as the parser does.
fn assert_same(source: &str) {
    for (dialect, whole) in [(&PLAIN, &*WHOLE_PLAIN), (&WITH_JSX, &*WHOLE_JSX)] {
        assert_eq!(shape(&dialect.grammar, source), shape(whole, source), "{source}");
    }
}

/// The texts of both languages below `folder`.
fn files(folder: &str) -> Vec<String> {
    let entries = ignore::WalkBuilder::new(folder).build().flatten();
    let is_ours = |entry: &ignore::DirEntry| {
        let extension = entry.path().extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        TYPESCRIPT.extensions.contains(&extension) || JAVASCRIPT.extensions.contains(&extension)
    };
    entries.filter(is_ours).filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect()
}

#[test]
fn a_head_read_without_the_parser_is_what_the_parser_gives() {
    // Each is followed by code, and stands in for it as well.
    let heads = [
        "import a from 'a';",
        "import a from \"a\"",
        "import 'a';import \"b\"; import c from 'c'",
        "import a, { b, c as d, type e, type f as g, } from 'a';",
        "import {\n  a,\r\n  b as $c,\n} from './a' ;\r\n\r\nimport {} from 'b';",
        "import type A from 'a';\nimport type { B } from 'b';\nimport type * as C from 'c';",
        "import a, * as b from 'a'; // why\nimport * as c from 'c' /* why */;\n/* and */ import 'd';",
        "'use client'\n\n// one\n/** two\n * three */\nimport a from 'a'\n/* four */",
        "/* before */\n\"use strict\"; import a from 'a'\n// \u{2019}\u{2028}",
        "import a from 'a' with { type: 'json' };",
        "import a from 'a'\nwith (b) c",
        "import b = require('b');\nimport C = d.e;",
        "import { default as a, get, type, as, from, of, \"s\" as t } from 'a';",
        "import { type as a } from 'a';",
        "import { type as } from 'a';",
        "import type from 'a';",
        "import type, { a } from 'a';",
        "import from from 'a';",
        "import \u{e9}, { \u{e9} as b } from 'a';",
        "import { a } from 'a\\n';",
        "import { a, /* why */ b } from 'a';",
        "import { a b } from 'a';",
        "import { a from 'a';",
        "import a from 'a' b",
        "import('a').then(b);\nimport.meta.url;",
        "import a from 'a'\n(b)",
        "import a from 'a'\n/b/.c()",
        "import a from 'a'\nimport b from 'b'\n[c]",
        "import a from 'a'\ninstanceof b",
        "'a'\n+ 'b';\nimport c from 'c';",
        "#!/usr/bin/env node\nimport a from 'a';",
        "\u{feff}import a from 'a';",
        "imports(a);",
        "import a from 'a';\nimport b from 'b', c;",
        "import defer * as a from 'a';",
        "import source a from 'a';",
    ];
    let rests = ["", "\n", "\nexport const a = () => <T,>(b: T) => b;\n", "\n\n@a\nclass B {}", " c()", "\n}{ d("];
    let mut sources: Vec<String> =
        heads.iter().flat_map(|head| rests.iter().map(move |rest| format!("{head}{rest}"))).collect();
    sources.extend(files(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")));
    let mut read = 0;
    for source in sources {
        let mut head = Head::default();
        HeadKinds::new(&WHOLE_PLAIN).read(&source, &mut head);
        read += usize::from(head.end() > 0);
        assert_same(&source);
    }
    assert!(read > 150, "only {read} heads were read");
}

/// Whether `source` is made compact, as far as a look at it tells.
fn is_compacted(source: &str) -> bool {
    let starts = memchr::memchr_iter(b'\n', source.as_bytes()).map(|at| at as u32 + 1);
    let lines: Vec<u32> = std::iter::once(0).chain(starts).collect();
    Compact::default().fill(source, &lines, 0).is_some()
}

/// A comment of every kind in place of each `@`, and blanks.
fn with_comments(source: &str) -> Vec<String> {
    const COMMENTS: &[&str] = &[
        "",
        "\n",
        "\n    ",
        "\n\n \t \n\t",
        "\n// c\n",
        "\n  // c\n  ",
        "\n  // c // d /* e\n\n  // f */\n",
        "\r\n  // c\r\n  ",
        "\r\n\r\n  /* c */\r\n  ",
        "\n  /* c */\n  ",
        "\n  /** c\n   * d\n   */\n  ",
        "\n  /* c // d */ \t\n",
        "\n  // c\n  /* d */\n",
        "\n  /* c */\n  // d\n",
        "\n  /* c */\n  /* d */ ",
        "\n  // c\n  /* d */ ",
        "\n  /* c */ // d\n",
        " // c\n",
        " // c\n  // d\n  ",
        " /* c\n   // d\n   /* e\n   */\n",
        " /* c */\n  // d\n  ",
        "\n  /**/\n",
        "\n  /*/ c */\n",
        "\n  //\n",
        "\n  /* c **/\n",
        "\n  // c\u{2028}d\n",
        "\n  /* c\u{2029} */\n",
        "\n  // c\rd\n",
        "\n  // c\0d\n",
        "\n  // it\u{2019}s\n  ",
        "\n  <!-- c\n",
        "\n  // c\n --> d\n",
        "\n  // c\n\u{c}",
        "\n  /* c */\n\u{c}",
    ];
    COMMENTS.iter().map(|comment| source.replace('@', comment)).collect()
}

#[test]
fn a_text_made_compact_is_read_as_the_parser_reads_the_whole() {
    // A comment may or may not stand at each `@`.
    let snippets = [
        "@",
        "@a@",
        "@a();@b();@",
        "a@b@c",
        "a@(b)",
        "a@[b]@c",
        "a@`b`",
        "a@+ b@- c",
        "a@++b@--c",
        "a@/ b / c",
        "a@/b/.c()",
        "a@* b@% c@< d@> e@= f@^ g@| h@& i@&& j@|| k@?? l@!= m",
        "a@!b",
        "a@in b@instanceof c",
        "a@index@instances@i",
        "a@?.b@.c()@?.[d]@!.e",
        "x = a@? b@: c",
        "x = a@? { b }@: { c }@;",
        "x = a@? (b): c@=> d@: e",
        "f(({ a }@: B) => c@, d@,@)@;",
        "function f({ a }@: B@)@: C@{@return@a@}@",
        "if (a@)@{@b@}@else if (c)@d@else@{@}@",
        "if (a) b@else c",
        "try@{@}@catch@(e)@{@}@finally@{@}",
        "do@a@while (b)@c",
        "for (@let a@=@0@;@;@)@{ continue@ break@a }",
        "switch (a)@{@case 1:@b@break@case 2:@default:@}",
        "return@a",
        "function f() { return@ (@a@) }",
        "throw@a",
        "class A@extends B@implements C@{@a@= 1@b@@c() {}@static@d@get@e() {}@f@: G@[h]@*i() {}@}",
        "class A {@a = 1@;@b(): C@;@abstract d(): E@}",
        "class A { a@['b'] = 1; c@(d) {} e@?: f; g@!: h }",
        "interface A@{@a: B@c@?: D@(e): F@new (g): H@[i]: J@k(): L@}",
        "declare function f(): A@function g()@{@}",
        "function f(a: A)@function f(b)@{ }",
        "type A =@| B@| C@| {@d: E@f: G@}@",
        "type A<@B@,@C@> = [@D@,@...E@]@",
        "type A = B extends C@? D@: E",
        "type A = `a${@B@}@`",
        "type A = ({ b }@: { c: D }@) => E@",
        "type A = { b@}@; type C = { d }@: e",
        "enum A {@B@,@C = 1@}@",
        "x = {@a,@b: c,@[d]: e,@...f,@g() {@}@,@}@",
        "x = [@a@,@,@b@]@",
        "f(@a,@b@)@.c(@)@",
        "const a =@b@,@c@= d@",
        "const {@a@=@1@, b@:@c@}@= d",
        "@a => {@}@",
        "(a) =>@b",
        "async@function f() {}",
        "async@(a) => b",
        "export@default@a@",
        "export@{@a@,@b as@c@}@from@'d'@",
        "export@const a = 1@export@*@from 'b'@",
        "namespace A@{@b@}@declare@module 'c'@{@}@",
        "import@a@from@'b'@c",
        "import a from 'b'@",
        "import a from 'b';@c()@import d from 'e'@",
        "#!/usr/bin/env node@a@",
        "\u{feff}@a@",
        "a as@B@; a satisfies@C@; a@as D",
        "let a@: B@<C@>@= d@",
        "@@decorated@class A {@@d@(e)@f() {}@}",
        "x = <A>@{@b@}@<C@d={@e@}@f='g@h'@{...@i@}@/>@text@more &amp;@&amp; @</A>@",
        "x = <>@</>@",
        "x = (@<a>@<b />@</a>@)@",
        "x = <a>one@two</a>",
        "x = <a>{b}@{c}</a>@<d",
        "x = `@`",
        "x = `a@`",
        "x = `@a`",
        "x = `a@${@b@}@c@${@`d@`@}@`@",
        "x = `${a}@${b}`",
        "x = `a\\@b`",
        "x = `a\\@${b}`",
        "x = `@\\u{41}@\\n@`",
        "x = 'a\\@b'",
        "x = \"a\\@b\"; y",
        "x = /a/@g",
        "x = /[/*]/@; y = '*/'",
        "x = '//@/*'; y = \"*/\"",
        "x = `\n/*\n`; y = `\n*/\n`@",
        "x = <a>\n/*\n</a>; y = <b>\n*/\n</b>@",
        "/* open@",
        "a@/* open",
        "/* a // b */@c",
        "/* a */ b@/* c */ d",
        "a /* b@*/@c",
        "a // b@c",
        "a@} b",
        "{@}@;@",
        "{@a@}@: b",
        "label:@a@",
        "a@<!-- b@--> c@d",
        "new A@(b)@new C@",
        "yield@a",
        "function* f() { yield@a@yield@*b }",
        "await@a",
        "let@a@let@[b] = c",
        "a@of@b@as@c@type@d = e@type f@= g",
        "abstract@class A {}",
        "a ??@b@?? c@? d@?e : f : g",
    ];
    let mut sources: Vec<String> = snippets.iter().flat_map(|snippet| with_comments(snippet)).collect();
    sources.extend(snippets.iter().flat_map(|snippet| with_comments(&format!("import m from 'm';\n  {snippet}"))));
    sources.extend(files(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")));
    let compacted = sources.iter().filter(|source| is_compacted(source)).count();
    for source in sources {
        assert_same(&source);
    }
    assert!(compacted > 4_000, "only {compacted} texts were made compact");
}
