//! Classes: inheritance, `this`, statics, accessors, mixins, decorators.

use crate::map::resolve::testing::linked;

#[test]
fn inherited_overridden_and_abstract_methods_are_told_apart() {
    let repo = linked(&[
        (
            "base.ts",
            "export abstract class Base {\n  constructor(readonly name: string) {}\n  abstract load(): void;\n  save() { this.load(); this.helper(); }\n  protected helper() {}\n  static create() { return null; }\n}",
        ),
        (
            "mid.ts",
            "import { Base } from './base';\nexport class Mid extends Base {\n  load() { super.save(); }\n  helper() { super.helper(); Mid.create(); }\n}",
        ),
        (
            "leaf.ts",
            "import { Mid } from './mid';\nexport class Leaf extends Mid {\n  run() { this.load(); this.save(); this.helper(); }\n}\nexport class Other extends (Mid as any) {}\n",
        ),
        (
            "use.ts",
            "import { Leaf } from './leaf';\nimport { Base } from './base';\nconst leaf = new Leaf('a');\nleaf.load(); leaf.run(); leaf.save(); Leaf.create();\nfunction f(base: Base) { base.load(); base.save(); }",
        ),
    ]);
    assert_eq!(
        repo.calls("base.ts"),
        ["load -> trait base.ts Base.load + dispatch mid.ts Mid.load", "helper -> member base.ts Base.helper",]
    );
    assert_eq!(
        repo.calls("mid.ts"),
        [
            "save -> member base.ts Base.save",
            "helper -> member base.ts Base.helper",
            "create -> typed base.ts Base.create"
        ]
    );
    assert_eq!(
        repo.calls("leaf.ts"),
        ["load -> member mid.ts Mid.load", "save -> member base.ts Base.save", "helper -> member mid.ts Mid.helper"]
    );
    assert_eq!(
        repo.calls("use.ts"),
        [
            "Leaf -> import leaf.ts Leaf + import base.ts Base.constructor",
            "load -> typed mid.ts Mid.load",
            "run -> typed leaf.ts Leaf.run",
            "save -> typed base.ts Base.save",
            "create -> typed base.ts Base.create",
            "load -> trait base.ts Base.load + dispatch mid.ts Mid.load",
            "save -> typed base.ts Base.save"
        ]
    );
}

#[test]
fn this_is_the_instance_in_arrows_callbacks_and_accessors_and_the_class_in_statics() {
    let repo = linked(&[(
        "a.ts",
        "class Job {\n  #secret() {}\n  get store() { return new Store(); }\n  static shared = new Store();\n  static make() { this.build(); return new this(); }\n  static build() {}\n\
           step() {}\n  handler = () => { this.step(); };\n\
           run(items: string[]) {\n    items.forEach(() => this.step());\n    items.map(function () { return 1; });\n    setTimeout(async () => { await this.step(); });\n\
             this.#secret(); this.store.get(); Job.shared.get(); this.handler(); this?.step(); this.step.call(this); const self = this; self.step();\n    const { step } = this; step();\n  }\n}\n\
         class Store { get() {} }\nJob.make().step();",
    )]);
    assert_eq!(
        repo.calls("a.ts"),
        [
            "Store -> scope a.ts Store",
            "Store -> scope a.ts Store",
            "build -> member a.ts Job.build",
            "this -> member a.ts Job",
            "step -> member a.ts Job.step",
            "forEach -> global Array.forEach",
            "step -> member a.ts Job.step",
            "map -> global Array.map",
            "setTimeout -> global setTimeout",
            "step -> member a.ts Job.step",
            "#secret -> member a.ts Job.#secret",
            "get -> returned a.ts Store.get",
            "get -> typed a.ts Store.get",
            "handler -> member a.ts Job.handler",
            "step -> member a.ts Job.step",
            "call -> global Function.call",
            "step -> member a.ts Job.step",
            "step -> member a.ts Job.step",
            "make -> typed a.ts Job.make",
            "step -> returned a.ts Job.step"
        ]
    );
}

#[test]
fn class_expressions_old_prototypes_and_object_methods_have_members() {
    let repo = linked(&[(
        "a.js",
        "const Cat = class { meow() {} };\nfunction Dog(name) { this.name = name; this.bark(); }\nDog.prototype.bark = function () { this.wag(); };\n\
         Dog.prototype.wag = () => {};\nDog.create = function () { return new Dog('x'); };\n\
         const api = { get() { this.post(); api.post(); }, post: function () {}, put: () => {}, ['del']() {}, deep: { patch() {} } };\n\
         new Cat().meow(); new Dog('a').bark(); Dog.create(); api.get(); api.put(); api.del(); api.deep.patch();",
    )]);
    assert_eq!(
        repo.calls("a.js"),
        [
            "bark -> member a.js Dog.bark",
            "wag -> member a.js Dog.wag",
            "Dog -> scope a.js Dog",
            "post -> member a.js api.post",
            "post -> scope a.js api.post",
            "Cat -> scope a.js Cat",
            "meow -> typed a.js Cat.meow",
            "Dog -> scope a.js Dog",
            "bark -> typed a.js Dog.bark",
            "create -> scope a.js Dog.create",
            "get -> scope a.js api.get",
            "put -> scope a.js api.put",
            "del -> scope a.js api.del",
            "patch -> scope a.js api.deep.patch"
        ]
    );
}

#[test]
fn decorators_are_calls_of_what_they_name() {
    let repo = linked(&[
        (
            "mark.ts",
            "export function Mark(name: string) { return (target: unknown) => target; }\nexport const bare = (target: unknown) => target;\nexport * as lib from './more';",
        ),
        ("more.ts", "export function Inner() { return () => {}; }"),
        (
            "use.ts",
            "import { Mark, bare, lib } from './mark';\nimport { Controller, Get, Body } from '@nestjs/common';\n\
             @Mark('a') @bare @Controller('users')\nexport class Users {\n  @bare field = 1;\n  @Get(':id') @lib.Inner() one(@Body() body: unknown) { this.two(); }\n  two() {}\n}",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "Mark -> import mark.ts Mark",
            "bare -> import mark.ts bare",
            "Controller -> @nestjs/common Controller",
            "bare -> import mark.ts bare",
            "Get -> @nestjs/common Get",
            "Inner -> reexport more.ts Inner",
            "Body -> @nestjs/common Body",
            "two -> member use.ts Users.two"
        ]
    );
}
