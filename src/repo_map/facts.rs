//! What one file says, before anything is linked: the output of a language's extractor.
//!
//! Indices ([`SymbolIndex`], [`CallIndex`], [`RegionIndex`]) point into the vectors of the same [`FileFacts`].

use serde::{Deserialize, Serialize};

use super::expr::Expr;
use super::name::Name;

/// Index into [`FileFacts::symbols`].
pub type SymbolIndex = u32;
/// Index into [`FileFacts::calls`].
pub type CallIndex = u32;
/// Index into [`FileFacts::regions`].
pub type RegionIndex = u32;

/// Bytes of the file, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether `other` lies within this span.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Lines of the file, 1-based, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Lines {
    /// First line.
    pub start: u32,
    /// Last line.
    pub end: u32,
}

impl Lines {
    /// Number of lines.
    pub fn count(self) -> u32 {
        self.end.saturating_sub(self.start) + 1
    }

    /// Whether `line` is among them.
    pub fn contains(self, line: u32) -> bool {
        (self.start..=self.end).contains(&line)
    }
}

/// A language the mapper reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LanguageName {
    /// `.js`, `.jsx`, `.mjs`, `.cjs`.
    JavaScript,
    /// `.ts`, `.tsx`, `.mts`, `.cts`.
    TypeScript,
    /// `.rs`.
    Rust,
}

impl LanguageName {
    /// TypeScript or JavaScript: one family of modules, runtimes and libraries.
    pub fn is_ecmascript(self) -> bool {
        matches!(self, LanguageName::JavaScript | LanguageName::TypeScript)
    }

    /// As its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            LanguageName::JavaScript => "JavaScript",
            LanguageName::TypeScript => "TypeScript",
            LanguageName::Rust => "Rust",
        }
    }

    /// The info string of a Markdown fence, and the name in JSON.
    pub fn label(self) -> &'static str {
        match self {
            LanguageName::JavaScript => "javascript",
            LanguageName::TypeScript => "typescript",
            LanguageName::Rust => "rust",
        }
    }
}

/// Everything the extractor found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileFacts {
    /// The parser met syntax it does not know: some facts may be missing.
    pub partly_read: bool,
    /// A tool wrote the file.
    pub generated: bool,
    /// Definitions, in order of their start.
    pub symbols: Vec<Symbol>,
    /// Imports, in source order.
    pub imports: Vec<Import>,
    /// Exports that are not said by [`Symbol::exported`]: lists, renames, re-exports, `module.exports`.
    pub exports: Vec<Export>,
    /// Call sites, in order of the callee name's position.
    pub calls: Vec<CallSite>,
    /// Loops, callbacks, `try` and the like: where a call stands.
    pub regions: Vec<Region>,
    /// Variables and fields with a declared type or an initialiser.
    pub bindings: Vec<Binding>,
    /// `extends`, `implements`, `impl Trait for Type`.
    pub heritage: Vec<Heritage>,
    /// What functions return, for return types that nobody wrote down.
    pub returns: Vec<Return>,
    /// `==`, `===`, `!=`, `!==` with both sides.
    pub comparisons: Vec<Comparison>,
    /// Assignments to something that exists: `a.b = value`, `total += x`.
    pub assignments: Vec<Assignment>,
    /// How locals are used that hold what a call gave, where nothing hands the value on (TypeScript and JavaScript).
    pub local_reads: Vec<LocalRead>,
    /// Error handlers.
    pub catches: Vec<Catch>,
    /// Strings that look like credentials: type and place, never the value.
    pub secrets: Vec<SecretLiteral>,
    /// Comments rules ask about: TODO-like markers, suppressions, and instructions to an auditor.
    pub comments: Vec<Comment>,
    /// Rust `mod name;` declarations.
    pub modules: Vec<ModuleDeclaration>,
    /// Type parameters in scope of a definition and what bounds them (Rust), in source order.
    pub generics: Vec<GenericBound>,
    /// Every identifier that occurs outside its own definition, sorted, once each.
    pub references: Vec<Name>,
    /// One entry a code line (blank lines, comments, imports and lone punctuation left out): for duplication.
    pub code_lines: Vec<CodeLine>,
}

/// What kind of definition a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SymbolKind {
    /// A free function, or a constant bound to a function value.
    Function,
    /// A method, accessor or associated function.
    Method,
    /// `constructor` of a class.
    Constructor,
    /// A class.
    Class,
    /// A Rust struct or union.
    Struct,
    /// An enum.
    Enum,
    /// A Rust trait.
    Trait,
    /// A TypeScript interface.
    Interface,
    /// A type alias.
    TypeAlias,
    /// A constant or static, or a module-level variable that is no function.
    Constant,
    /// An inline module or namespace.
    Module,
    /// A `macro_rules!` macro.
    Macro,
}

impl SymbolKind {
    /// Something whose body runs when it is called.
    pub fn is_callable(self) -> bool {
        matches!(self, SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor)
    }

    /// Something that has members.
    pub fn is_type(self) -> bool {
        matches!(
            self,
            SymbolKind::Class
                | SymbolKind::Struct
                | SymbolKind::Enum
                | SymbolKind::Trait
                | SymbolKind::Interface
                | SymbolKind::TypeAlias
        )
    }
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// The name alone.
    pub name: Name,
    /// `Type::method`, `Class.method`, `outer.inner`: containers joined as the language writes them.
    pub qualified: Name,
    /// What it is.
    pub kind: SymbolKind,
    /// The definition it stands in, when that is in this file (a class, a module, an enclosing function).
    pub container: Option<SymbolIndex>,
    /// The type it is a member of, as written: `Orders` for `impl<T> Orders<T>`; its definition may be in another file.
    pub member_of: Option<Name>,
    /// The trait an `impl Trait for Type` member belongs to, as written.
    pub of_trait: Option<Name>,
    /// `export`, `pub` (any visibility wider than private), or a member of an exported trait.
    pub exported: bool,
    /// It is the module's default export.
    pub default_export: bool,
    /// `async` was written.
    pub is_async: bool,
    /// A test or inside test code, judged by attributes and runner calls, not by path.
    pub test: bool,
    /// It has a body (overload signatures and trait method declarations have none).
    pub has_body: bool,
    /// It takes a receiver: a method called on a value (`&self`), as against an associated or static function.
    pub takes_self: bool,
    /// The whole definition, attributes and doc comments left out.
    pub span: Span,
    /// The same in lines.
    pub lines: Lines,
    /// The line its name stands on.
    pub name_line: u32,
    /// First line of the definition up to the body, white space folded, at most 200 bytes.
    pub signature: Name,
    /// Parameters in order, the receiver left out.
    pub parameters: Vec<Parameter>,
    /// The declared return type, as written; of a type alias, the type it stands for.
    pub return_type: Option<Name>,
    /// Decorators and attributes, as written without `@`, `#[` and `]`.
    pub attributes: Vec<Name>,
    /// A doc comment stands before it.
    pub documented: bool,
    /// Bytes of code inside, nested definitions included: a measure of size that formatting does not change.
    pub tokens: u32,
    /// Branches plus one inside (if, loops, match arms, case, `?:`, `&&`, `||`): cyclomatic complexity.
    pub complexity: u32,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name; for a destructuring pattern, the empty string.
    pub name: Name,
    /// Names bound by a destructuring pattern, key and local name.
    pub destructured: Vec<(Name, Name)>,
    /// The declared type, as written.
    pub declared_type: Option<Name>,
    /// Decorators and attributes, as written without `@`.
    pub attributes: Vec<Name>,
}

/// An import of another module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Module specifier (`./orders`, `@prisma/client`) or Rust path up to the imported name (`crate::orders`).
    pub source: Name,
    /// What is imported.
    pub item: ImportItem,
    /// The local name it gets; empty for a glob or an import for side effects.
    pub local: Name,
    /// `import type`, `import { type T }`, and an import of which nothing but types is used.
    pub type_only: bool,
    /// The Rust module it stands in (inline `mod a { mod b {` gives `["a", "b"]`), or the enclosing function's scope for `require`.
    /// A `use` inside a Rust function ends in `fn name`.
    pub within: Vec<Name>,
    /// Rust `pub use` (any visibility).
    pub reexported: bool,
    /// Where it stands.
    pub line: u32,
}

/// What an import takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportItem {
    /// One name: `import { name }`, `use source::name`.
    Named(Name),
    /// The default export.
    Default,
    /// The whole module under one name: `import * as ns`, `const ns = require()`.
    Namespace,
    /// Every public name: `use source::*`.
    Glob,
    /// Nothing: `import './polyfill'`.
    SideEffect,
    /// `import('./x')` as an expression.
    Dynamic,
}

/// An export that is not a definition with the word `export` before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The public name; `default` for the default export, `*` for `export * from`.
    pub name: Name,
    /// What it stands for.
    pub target: ExportTarget,
    /// `export type`.
    pub type_only: bool,
    /// Where it stands.
    pub line: u32,
}

/// What an [`Export`] stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportTarget {
    /// A name of this file: `export { local as name }`, `export default local`.
    Local(Name),
    /// A name of another module: `export { name as alias } from source`.
    From {
        /// Module specifier.
        source: Name,
        /// The name there; `*` for all of them, `default` for the default export.
        name: Name,
    },
    /// A value written in place: `export default {…}`, `module.exports = {…}`.
    Value(Expr),
}

/// What kind of call a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallKind {
    /// `f()`, `a.f()`, `a::f()`.
    Call,
    /// `new F()`.
    New,
    /// `<F … />`.
    Jsx,
    /// `f!(…)`.
    Macro,
    /// `` f`…` ``.
    Template,
    /// `@f`.
    Decorator,
}

/// What becomes of a call's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Usage {
    /// An expression statement: nobody looks at it.
    Discarded,
    /// Dropped on purpose: `void f()`, `let _ = f()`.
    Ignored,
    /// Bound to a name: `const x = f()`. A destructuring pattern gives the empty string.
    Bound(Name),
    /// Stored in something that exists: `this.x = f()`, `x = f()`.
    Assigned,
    /// Returned, or the value of an arrow function or Rust block tail.
    Returned,
    /// An argument of another call.
    Argument(CallIndex),
    /// The receiver of another call: `f().then()`.
    Receiver(CallIndex),
    /// Tested as it is: condition of `if`/`while`, operand of `!`, `&&`, `||`, ternary test.
    Tested,
    /// Read through: member access without a call, index, spread, destructuring, template hole, comparison, arithmetic.
    Operand,
    /// An element of an array or a value of an object literal.
    Element,
    /// Handed on in some other way, or asked about without being read: yielded, thrown, `typeof`, `instanceof`, `for await`.
    Passed,
}

/// One place that calls something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSite {
    /// What is called: [`Expr::Name`], [`Expr::Member`], [`Expr::Path`], or another expression.
    pub callee: Expr,
    /// The last name of the callee (`findMany`, `read`); empty when it has none.
    pub name: Name,
    /// What kind of call.
    pub kind: CallKind,
    /// The nearest named function around it; `None` at the top level of the file.
    pub caller: Option<SymbolIndex>,
    /// The innermost region around it.
    pub region: Option<RegionIndex>,
    /// The whole expression, `await` left out.
    pub span: Span,
    /// Line of the callee's name (in a chain, the line of that link).
    pub line: u32,
    /// Last line of the call.
    pub end_line: u32,
    /// What becomes of the value, `await` and `?` seen through.
    pub usage: Usage,
    /// `await f()`, `f().await`.
    pub awaited: bool,
    /// `f()?` (Rust): the error goes to the caller.
    pub propagated: bool,
    /// The arguments, at most the first 8; JSX attributes are one [`Expr::Object`].
    pub arguments: Vec<Expr>,
    /// Type arguments as written, without the angle brackets.
    pub type_arguments: Option<Name>,
    /// The block the statement stands in, and its place among the block's statements: order without positions.
    pub statement: StatementRef,
}

/// Where a statement stands: two with the same block run one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
pub struct StatementRef {
    /// Number of the block within the file, in source order.
    pub block: u32,
    /// Position among its statements, from 0.
    pub index: u32,
}

/// A stretch of code that decides how often, when or on which thread the calls inside it run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// What it is.
    pub kind: RegionKind,
    /// The region around it, within the same named function.
    pub parent: Option<RegionIndex>,
    /// The named function it belongs to.
    pub symbol: Option<SymbolIndex>,
    /// Bytes of the body.
    pub span: Span,
    /// Lines from the head (`for (…)`) to the end of the body.
    pub lines: Lines,
    /// A branch that is an arm of `match` or a case of `switch`.
    pub is_case: bool,
}

/// What a [`Region`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegionKind {
    /// A loop.
    Loop(Loop),
    /// A function value passed to a call: `orders.map(async (order) => …)`.
    Callback {
        /// The call it is an argument of; `None` for a function value stored or returned.
        call: Option<CallIndex>,
        /// `async` was written.
        is_async: bool,
        /// Its parameters, destructured names flattened.
        parameters: Vec<Name>,
        /// `{ … }` rather than one expression.
        block_body: bool,
    },
    /// The body of `try`.
    Try,
    /// The body of `catch` or of `finally`.
    Handler,
    /// A branch: `if`, `else`, `case`, match arm.
    Branch,
    /// Rust `async { … }`.
    AsyncBlock,
    /// Rust `unsafe { … }`.
    UnsafeBlock,
}

/// A loop statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loop {
    /// How it was written.
    pub form: LoopForm,
    /// What it runs over (`for … of X`, `for x in X`), or its condition (`while`).
    pub over: Option<Expr>,
    /// Names bound for each item.
    pub bindings: Vec<Name>,
    /// `for await … of`.
    pub is_async: bool,
    /// The body can leave early at its own level: `break` or `return`.
    pub exits_early: bool,
}

/// How a loop was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoopForm {
    /// `for (x of xs)`, `for x in xs`.
    Each,
    /// `for (x in object)`.
    Keys,
    /// `for (;;)` with a counter.
    Counter,
    /// `while`, `do … while`.
    While,
    /// `while let` (Rust).
    WhileLet,
    /// `loop`, `while (true)`, `for (;;)` without a condition.
    Endless,
}

/// A variable, field or constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: BindingKind,
    /// The function it is local to, or the type it is a field of; `None` at module level.
    pub owner: Option<SymbolIndex>,
    /// The type it is a field of, as written, when [`Binding::kind`] is a field.
    pub member_of: Option<Name>,
    /// The declared type, as written.
    pub declared_type: Option<Name>,
    /// The initialiser.
    pub value: Option<Expr>,
    /// For `const { key: name } = value`: the key taken from the value; for `[a, b] = value`, the position.
    /// Rust patterns give every step, joined by `.`: `1` for a tuple, `Some.0` and `Order.id` for a variant or struct,
    /// `*` for an item of what a loop runs over. A closure parameter has no value and starts with its own position, and so does what an
    /// untyped callback parameter of TypeScript is taken apart into.
    pub taken: Option<Name>,
    /// The innermost region it stands in.
    pub region: Option<RegionIndex>,
    /// Where it stands.
    pub line: u32,
    /// Bytes of the whole declaration.
    pub span: Span,
    /// Block and position of its statement.
    pub statement: StatementRef,
}

/// Name of the field that says how a value of an interface is called: its type is that of the function.
pub const SIGNATURE: &str = "()";

/// What kind of [`Binding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BindingKind {
    /// `const`, Rust `let`, `const`, `static`.
    Constant,
    /// `let`, `var`, Rust `let mut`, `static mut`.
    Variable,
    /// A field of a class, struct or interface.
    Field,
    /// A constructor parameter that is also a field (TypeScript).
    ParameterProperty,
    /// A name bound by a loop, `if let`, a match arm or `catch`.
    Pattern,
}

/// One type building on another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heritage {
    /// The type, as written without generics.
    pub of: Name,
    /// What it builds on, as written without generics.
    pub base: Name,
    /// How.
    pub kind: HeritageKind,
    /// Where it stands.
    pub line: u32,
}

/// How one type builds on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeritageKind {
    /// `class A extends B`, `interface A extends B`, `trait A: B`.
    Extends,
    /// `class A implements B`, `impl B for A`.
    Implements,
}

/// What a function returns in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// The function; `None` inside an anonymous callback.
    pub symbol: Option<SymbolIndex>,
    /// The region it returns from, when that is a callback.
    pub region: Option<RegionIndex>,
    /// What it returns.
    pub value: Expr,
    /// Where it stands.
    pub line: u32,
}

/// An equality test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// `==`, `!=`, `===`, `!==`.
    pub operator: Name,
    /// Left side.
    pub left: Expr,
    /// Right side.
    pub right: Expr,
    /// The function around it.
    pub symbol: Option<SymbolIndex>,
    /// The innermost region around it.
    pub region: Option<RegionIndex>,
    /// The whole comparison.
    pub span: Span,
    /// Where it stands.
    pub line: u32,
}

/// An assignment to something that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// What is assigned to.
    pub target: Expr,
    /// `=`, `+=`, …
    pub operator: Name,
    /// The value.
    pub value: Expr,
    /// The function around it.
    pub symbol: Option<SymbolIndex>,
    /// The innermost region around it.
    pub region: Option<RegionIndex>,
    /// The whole assignment.
    pub span: Span,
    /// Where it stands.
    pub line: u32,
}

/// A use of a local that holds what a call gave: `const user = load(id)`, later `user.name`.
///
/// Kept only when no use of the local awaits, stores or collects the value: then these uses are all there are, and one that cannot
/// do with a promise tells of a forgotten `await`. One that returns it is kept when another asks for the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRead {
    /// The call whose value the local holds.
    pub call: CallIndex,
    /// What becomes of the value here.
    pub usage: Usage,
}

/// An error handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catch {
    /// How the error is taken.
    pub form: CatchForm,
    /// The name the error gets, if any.
    pub error: Option<Name>,
    /// No statement inside.
    pub is_empty: bool,
    /// A comment stands inside: somebody gave a reason.
    pub has_comment: bool,
    /// It ends in `throw`, `return Err`, `reject`, `process.exit`, a panic.
    pub rethrows: bool,
    /// It returns a value or assigns one: a fallback.
    pub has_fallback: bool,
    /// The error's name is used inside.
    pub uses_error: bool,
    /// The function around it.
    pub symbol: Option<SymbolIndex>,
    /// The region of the `try` body it belongs to.
    pub guarded: Option<RegionIndex>,
    /// The region of its own body.
    pub region: Option<RegionIndex>,
    /// From `catch` to its closing brace.
    pub span: Span,
    /// The same in lines.
    pub lines: Lines,
}

/// How an error is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CatchForm {
    /// `catch (error) { … }`.
    Block,
    /// `.catch(() => { … })`.
    Method,
    /// `if let Err(e) = f() { … }` or `Err(e) => …`.
    ErrPattern,
}

/// A literal that looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretLiteral {
    /// The kind, as in `[secret:aws-access-key]`.
    pub kind: Name,
    /// The name it is bound to, if any.
    pub name: Option<Name>,
    /// Where it stands.
    pub line: u32,
    /// The literal with its quotes.
    pub span: Span,
    /// Inside test code.
    pub test: bool,
}

/// A comment some rule asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// What it is.
    pub kind: CommentKind,
    /// Its text without the comment marks, at most 240 bytes.
    pub text: Name,
    /// Where it starts.
    pub line: u32,
    /// The line of code it speaks of: its own when code stands before it, else the next line with code.
    pub applies_to: u32,
}

/// What a kept comment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommentKind {
    /// `TODO`, `FIXME`, `HACK`, `XXX`.
    Marker,
    /// `improve-ignore: rule-id — reason`.
    Suppression,
    /// Text that addresses an automated reader ("ignore previous instructions").
    Instruction,
    /// `// SAFETY: …`, `// by design`, `eslint-disable`, `@ts-ignore`, `@ts-expect-error`, `#[allow` reasons.
    Justification,
    /// What becomes of errors here, or of the thread: `// errors are ignored`, `// blocks, but only for a moment`, `// cancel-safe`.
    Remark,
    /// Where the code comes from: `Adapted from https://…`, `copied from https://…`.
    Origin,
}

/// `mod name;` or `#[path = "…"] mod name;`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleDeclaration {
    /// The module's name.
    pub name: Name,
    /// Inline modules around it, outermost first.
    pub within: Vec<Name>,
    /// `#[path = "…"]`.
    pub path: Option<Name>,
    /// `#[cfg(test)]`.
    pub test: bool,
    /// Where it stands.
    pub line: u32,
}

/// A type parameter that a definition may name: its own, or one of the `impl` or trait around it.
///
/// One entry a bound, and one entry with an empty bound for the parameter itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenericBound {
    /// The definition.
    pub symbol: SymbolIndex,
    /// The parameter as written: `T`; in a where clause also `T::Item`.
    pub name: Name,
    /// The trait it must have, as written: `Into<String>`; empty for the declaration itself.
    pub bound: Name,
}

/// One line of code, as duplication detection sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeLine {
    /// 1-based line.
    pub line: u32,
    /// Hash of the line with white space folded.
    pub exact: u32,
    /// Hash with identifiers, strings and numbers replaced by their kind.
    pub shape: u32,
    /// Sum of the hashes of its tokens without brackets and separators: adds up over lines, so that a statement has the same
    /// sum however it is broken into lines.
    pub bag: u32,
    /// Leaf tokens on the line: thin lines weigh little.
    pub tokens: u16,
}

impl FileFacts {
    /// The regions around `region`, innermost first, itself included.
    pub fn enclosing_regions(&self, region: Option<RegionIndex>) -> impl Iterator<Item = (RegionIndex, &Region)> {
        let mut next = region;
        std::iter::from_fn(move || {
            let index = next?;
            let region = self.regions.get(index as usize)?;
            next = region.parent;
            Some((index, region))
        })
    }

    /// Gives back what the lists were given in advance: the facts of a large repository stay in memory together.
    pub fn shrink_to_fit(&mut self) {
        let Self {
            partly_read: _,
            generated: _,
            symbols,
            imports,
            exports,
            calls,
            regions,
            bindings,
            heritage,
            returns,
            comparisons,
            assignments,
            local_reads,
            catches,
            secrets,
            comments,
            modules,
            generics,
            references,
            code_lines,
        } = self;
        symbols.shrink_to_fit();
        imports.shrink_to_fit();
        exports.shrink_to_fit();
        calls.shrink_to_fit();
        regions.shrink_to_fit();
        bindings.shrink_to_fit();
        heritage.shrink_to_fit();
        returns.shrink_to_fit();
        comparisons.shrink_to_fit();
        assignments.shrink_to_fit();
        local_reads.shrink_to_fit();
        catches.shrink_to_fit();
        secrets.shrink_to_fit();
        comments.shrink_to_fit();
        modules.shrink_to_fit();
        generics.shrink_to_fit();
        references.shrink_to_fit();
        code_lines.shrink_to_fit();
    }

    /// The call at `index`.
    pub fn call(&self, index: CallIndex) -> &CallSite {
        &self.calls[index as usize]
    }
}
