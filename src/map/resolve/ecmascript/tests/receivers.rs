//! Receivers: typed by what is written beside them, by what made them, by generics.

use crate::map::resolve::testing::linked;

const STORE: (&str, &str) = (
    "store.ts",
    "export class Row { save() {} }\n\
     export class Store<T = Row> { get(): T { return null!; } all(): T[] { return []; } each(f: (item: T) => void) {} find() {} row: Row = new Row(); }\n\
     export interface Port { send(): void; row(): Row; nested: { row: Row } }\n\
     export type Maybe = Row | null;\nexport type Pair = { left: Row; right: { deep: Row } };\nexport enum Kind { A }",
);

#[test]
fn annotations_of_every_place_type_a_receiver() {
    let repo = linked(&[
        STORE,
        (
            "use.ts",
            "import { Row, Store, Port, Maybe, Pair } from './store';\nimport type * as S from './store';\n\
             const constant: Row = load();\nlet later: Row;\n\
             function named(row: Row, maybe?: Row, ...rest: Row[]) { row.save(); maybe?.save(); rest[0].save(); }\n\
             const arrow = (row: S.Row) => row.save();\n\
             function taken({ left, right: { deep } }: Pair) { left.save(); deep.save(); }\n\
             function union(row: Maybe, either: Row | undefined) { row?.save(); either!.save(); }\n\
             class Holder { private row?: Row; constructor(private readonly port: Port, public store: Store<Row>) {} go() { this.row?.save(); this.port.row().save(); this.port.nested.row.save(); this.store.find(); } }\n\
             constant.save(); later.save(); (anything as Row).save(); (anything satisfies Row).save(); (<Row>anything).save(); new Holder(a, b).go();\n\
             for (const { row } of anything as Store[]) row.save();\n\
             try { } catch (error) { error.save(); }",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "load -> ?",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "row -> trait store.ts Port.row",
            "save -> returned store.ts Row.save",
            "save -> typed store.ts Row.save",
            "find -> typed store.ts Store.find",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> typed store.ts Row.save",
            "save -> ?",
            "save -> typed store.ts Row.save",
            "Holder -> scope use.ts Holder + scope use.ts Holder.constructor",
            "go -> typed use.ts Holder.go",
            "save -> typed store.ts Row.save",
            "save -> ?"
        ]
    );
}

#[test]
fn results_type_a_receiver_however_they_are_given() {
    let repo = linked(&[
        STORE,
        (
            "make.ts",
            "import { Row, Store, Pair } from './store';\n\
             export function declared(): Row { return x; }\nexport const arrow = () => new Row();\nexport async function later() { return new Row(); }\n\
             export function promised(): Promise<Row> { return x; }\nexport function list(): Promise<Row[]> { return x; }\nexport function either(a: boolean) { if (a) return new Row(); return new Row(); }\n\
             export function maybe(a: boolean) { return a ? new Row() : null; }\nexport function pair(): [Row, Store] { return x; }\nexport const through = () => declared();\n\
             export function shape() { const row = new Row(); const own = () => {}; return { row, own, get() { return row; } }; }\nexport class Factory { static of() { return new Factory(); } row() { return new Row(); } get value() { return new Row(); } self() { return this; } }\n\
             export function* rows(): Generator<Row> {}\nexport function holder(): { pair: Pair } { return x; }",
        ),
        (
            "use.ts",
            "import * as make from './make';\nimport { declared, shape, Factory, later, list, pair, holder, rows } from './make';\n\
             async function run() {\n\
               declared().save(); make.arrow().save(); (await make.later()).save(); const p = await make.promised(); p.save();\n\
               for (const row of await list()) row.save(); (await list()).map((row) => row.save()); const [first] = await list(); first.save();\n\
               make.either(true).save(); make.maybe(true)?.save(); const [row, store] = pair(); row.save(); store.find(); make.through().save();\n\
               const { own, row: kept, get } = shape(); own(); kept.save(); get().save(); Factory.of().self().row().save(); Factory.of().value.save();\n\
               later().then((row) => row.save()); const both = await Promise.all([later(), later()]); both[0].save(); holder().pair.right.deep.save();\n\
               for (const row of rows()) row.save();\n\
             }",
        ),
    ]);
    let calls = repo.calls("use.ts");
    let saves: Vec<&str> = calls.iter().map(String::as_str).filter(|call| call.starts_with("save ")).collect();
    assert_eq!(saves.len(), 19);
    assert_eq!(calls.iter().filter(|call| call.ends_with('?')).collect::<Vec<_>>(), [] as [&String; 0]);
    assert!(saves.iter().all(|call| call.ends_with("store.ts Row.save")), "{saves:#?}");
}

#[test]
fn generics_are_filled_in_where_the_name_suffices() {
    let repo = linked(&[
        STORE,
        (
            "use.ts",
            "import { Row, Store } from './store';\n\
             class Box<T> { constructor(public value: T) {} get(): T { return this.value; } map<U>(f: (value: T) => U): Box<U> { return x; } }\n\
             class Rows extends Store<Row> {}\ninterface Repo<T> { one(): T; many(): Promise<T[]> }\n\
             function same<T>(value: T): T { return value; }\nfunction firstOf<T extends Row>(items: T[]): T { return items[0]; }\nfunction made<T>(kind: new () => T): T { return new kind(); }\n\
             async function run(store: Store, other: Store<Row>, boxed: Box<Row>, rows: Row[], repo: Repo<Row>, map: Map<string, Row>, set: Set<Row>) {\n\
               store.get().save(); other.get().save(); boxed.get().save(); boxed.value.save(); same(new Row()).save(); firstOf(rows).save(); made(Row).save();\n\
               other.all().map((row) => row.save()); other.each((row) => row.save()); new Rows().get().save(); repo.one().save(); (await repo.many())[0].save();\n\
               map.get('a')?.save(); for (const row of map.values()) row.save(); for (const [, row] of map) row.save(); set.forEach((row) => row.save()); new Box(new Row()).get().save();\n\
             }",
        ),
    ]);
    let calls = repo.calls("use.ts");
    let saves: Vec<&str> = calls.iter().map(String::as_str).filter(|call| call.starts_with("save ")).collect();
    assert_eq!(saves.len(), 17);
    let wrong: Vec<(usize, &&str)> =
        saves.iter().enumerate().filter(|(_, call)| !call.ends_with("store.ts Row.save")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
