//! Names across modules: re-exports, defaults, namespaces, CommonJS, dynamic imports.

use crate::map::resolve::testing::linked;

#[test]
fn every_form_of_default_export_is_reached_by_any_local_name() {
    let repo = linked(&[
        ("function.ts", "export default function named() {}"),
        ("anonymous.ts", "export default function () {}"),
        ("arrow.ts", "export default () => {};"),
        ("class.ts", "export default class { run() {} }"),
        ("later.ts", "function later() {}\nexport default later;"),
        ("list.ts", "function listed() {}\nexport { listed as default };"),
        ("object.ts", "export default { open() {}, close: () => {} };"),
        ("made.ts", "import { wrap } from 'wrap';\nexport default wrap(() => {});"),
        ("passed.ts", "export { default } from './function';\nexport { default as Klass } from './class';"),
        (
            "use.ts",
            "import a from './function';\nimport b from './anonymous';\nimport c from './arrow';\nimport D from './class';\nimport e from './later';\n\
             import f from './list';\nimport g from './object';\nimport h from './made';\nimport i, { Klass } from './passed';\nimport { default as j } from './function';\n\
             a(); b(); c(); new D().run(); e(); f(); g.open(); g.close(); h(); i(); new Klass().run(); j();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "a -> import function.ts named",
            "b -> import anonymous.ts default",
            "c -> import arrow.ts default",
            "D -> import class.ts default",
            "run -> typed class.ts default.run",
            "e -> import later.ts later",
            "f -> import list.ts listed",
            "open -> import object.ts default.open",
            "close -> import object.ts default.close",
            "h -> import made.ts default",
            "i -> reexport function.ts named",
            "Klass -> reexport class.ts default",
            "run -> typed class.ts default.run",
            "j -> import function.ts named"
        ]
    );
}

#[test]
fn stars_pass_on_everything_but_the_default_and_own_names_come_first() {
    let repo = linked(&[
        ("a.ts", "export const f = () => {};\nexport const both = () => {};\nexport default function main() {}"),
        ("b.ts", "export const both = () => {};\nexport const g = () => {};"),
        ("index.ts", "export * from './a';\nexport * from './b';\nexport const g = () => {};"),
        (
            "use.ts",
            "import { f, g } from '.';\nimport main from '.';\nimport * as all from '.';\nf(); g(); main(); all.f(); all.g();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "f -> reexport a.ts f",
            "g -> import index.ts g",
            "main -> ?",
            "f -> reexport a.ts f",
            "g -> import index.ts g"
        ]
    );
}

#[test]
fn imports_that_are_exported_again_and_renamed_on_the_way_are_followed() {
    let repo = linked(&[
        ("deep.ts", "export function one() {}\nexport class Two { run() {} }"),
        (
            "middle.ts",
            "import { one as first, Two } from './deep';\nimport * as deep from './deep';\nexport { first as uno, Two as Zwei, deep };",
        ),
        (
            "top.ts",
            "export { uno as ein, Zwei, deep as tief } from './middle';\nimport { Zwei } from './middle';\nexport class Drei extends Zwei {}",
        ),
        (
            "use.ts",
            "import { ein, Zwei, tief, Drei } from './top';\nein(); new Zwei().run(); tief.one(); new tief.Two().run(); new Drei().run();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "ein -> reexport deep.ts one",
            "Zwei -> reexport deep.ts Two",
            "run -> typed deep.ts Two.run",
            "one -> reexport deep.ts one",
            "Two -> reexport deep.ts Two",
            "run -> typed deep.ts Two.run",
            "Drei -> import top.ts Drei",
            "run -> typed deep.ts Two.run"
        ]
    );
}

#[test]
fn namespaces_are_taken_apart_renamed_and_handed_on() {
    let repo = linked(&[
        ("lib.ts", "export function a() {}\nexport function b() {}\nexport namespace inner { export function c() {} }"),
        (
            "use.ts",
            "import * as lib from './lib';\nimport { inner } from './lib';\nconst { a, b: bee } = lib;\nconst same = lib;\nconst api = { ...lib, own() {} };\n\
             a(); bee(); same.a(); lib['b'](); lib.inner.c(); inner.c(); api.a(); api.own();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "a -> import lib.ts a",
            "bee -> import lib.ts b",
            "a -> import lib.ts a",
            "b -> import lib.ts b",
            "c -> import lib.ts inner.c",
            "c -> import lib.ts inner.c",
            "a -> import lib.ts a",
            "own -> scope use.ts api.own"
        ]
    );
}

#[test]
fn every_form_of_commonjs_export_is_known() {
    let repo = linked(&[
        ("whole.js", "module.exports = function whole() {};"),
        ("named.js", "function run() {}\nmodule.exports = run;\nmodule.exports.extra = () => {};"),
        ("both.js", "const self = (module.exports = { start() {}, stop: () => {} });\nself.start();"),
        ("alias.js", "exports = module.exports = {};\nexports.one = function () {};\nexports.two = exports.one;"),
        ("class.js", "class Job { run() {} }\nmodule.exports = Job;\n"),
        (
            "classes.js",
            "class Job { run() {} }\nmodule.exports = { Job, make: () => new Job(), ...require('./alias') };\n",
        ),
        ("proxy.js", "module.exports = require('./named');"),
        ("part.js", "exports.part = require('./alias').one;\nexports.lazy = () => require('./whole')();"),
        (
            "define.js",
            "'use strict';\nObject.defineProperty(exports, '__esModule', { value: true });\nexports.default = main;\nexports.helper = helper;\nfunction main() {}\nfunction helper() {}",
        ),
        (
            "use.js",
            "const whole = require('./whole');\nconst named = require('./named');\nconst { start } = require('./both');\nconst alias = require('./alias');\n\
             const Job = require('./class');\nconst { Job: Work, make, one } = require('./classes');\nconst proxy = require('./proxy');\nconst { part } = require('./part');\n\
             const define = require('./define');\nconst direct = require('./both').stop;\n\
             whole(); named(); named.extra(); start(); alias.one(); alias.two(); new Job().run(); new Work().run(); make().run(); one();\n\
             proxy(); part(); define.helper(); define.default(); direct(); require('./alias').one();",
        ),
        (
            "use.mjs",
            "import whole from './whole.js';\nimport { start } from './both.js';\nimport * as alias from './alias.js';\nwhole(); start(); alias.one();",
        ),
    ]);
    let calls = repo.calls("use.js");
    let calls: Vec<&str> = calls.iter().map(String::as_str).filter(|call| !call.starts_with("require ")).collect();
    assert_eq!(
        calls,
        [
            "whole -> import whole.js whole",
            "named -> import named.js run",
            "extra -> import named.js extra",
            "start -> import both.js start",
            "one -> import alias.js one",
            "two -> import alias.js one",
            "Job -> import class.js Job",
            "run -> typed class.js Job.run",
            "Work -> import classes.js Job",
            "run -> typed classes.js Job.run",
            "make -> import classes.js make",
            "run -> returned classes.js Job.run",
            "one -> import alias.js one",
            "proxy -> reexport named.js run",
            "part -> import alias.js one",
            "helper -> import define.js helper",
            "default -> import define.js main",
            "direct -> import both.js stop",
            "one -> import alias.js one"
        ]
    );
    assert_eq!(
        repo.calls("use.mjs"),
        ["whole -> import whole.js whole", "start -> import both.js start", "one -> import alias.js one"]
    );
}

#[test]
fn dynamic_imports_are_waited_for_chained_or_handed_to_a_loader() {
    let repo = linked(&[
        ("lib.ts", "export function one() {}\nexport default function main() {}"),
        ("page.tsx", "export function Page() { return null; }\nexport default function Home() { return null; }"),
        (
            "use.tsx",
            "import { lazy } from 'react';\nimport dynamic from 'next/dynamic';\n\
             const Home = lazy(() => import('./page'));\nconst Page = dynamic(() => import('./page').then((mod) => mod.Page));\n\
             async function run() {\n  const { one, default: main } = await import('./lib');\n  one(); main();\n  (await import('./lib')).one();\n\
             import('./lib').then((lib) => lib.one());\n  import('./lib').then(({ default: start }) => start());\n\
             const [first] = await Promise.all([import('./lib')]);\n  first.one();\n}\n\
             const view = <><Home /><Page /></>;",
        ),
    ]);
    let calls = repo.calls("use.tsx");
    let calls: Vec<&str> = calls.iter().map(String::as_str).filter(|call| !call.starts_with("import ")).collect();
    assert_eq!(
        calls,
        [
            "lazy -> react lazy",
            "dynamic -> next dynamic",
            "then -> global Promise.then",
            "one -> import lib.ts one",
            "main -> import lib.ts main",
            "one -> import lib.ts one",
            "then -> global Promise.then",
            "one -> import lib.ts one",
            "then -> global Promise.then",
            "start -> import lib.ts main",
            "all -> global Promise.all",
            "one -> import lib.ts one",
            "Home -> scope use.tsx Home + dispatch page.tsx Home",
            "Page -> scope use.tsx Page + dispatch page.tsx Page"
        ]
    );
}
