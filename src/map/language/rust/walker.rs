//! The state of one walk over a Rust file: where we are, what was found, how nodes map to the file.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::map::syntax::{Node, Reparse};

use super::generated::Template;
use crate::map::language::shared;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

/// Nesting of expressions and items that is followed. Our choice: a few times what people write, and small enough for
/// the stack of a worker thread in a debug build.
const MAX_NESTING: u32 = 96;
/// Elements of an array or struct literal that are kept. Our choice: rules ask about short ones.
pub(super) const MAX_ELEMENTS: usize = 64;

/// One walk over one file.
pub(super) struct Walker<'s> {
    /// The whole file.
    pub source: &'s str,
    /// What was found so far.
    pub facts: FileFacts,
    /// Where we are.
    pub scope: Scope,
    /// Loops around us within the function or closure, innermost last.
    pub loops: Vec<LoopState>,
    /// First bytes of names being defined: these occurrences are no references.
    pub defined: FxHashSet<u32>,
    shift: Shift,
    blocks: u32,
    nesting: u32,
    parser: &'s mut dyn Reparse,
    /// Functions that macros of the file write, by macro.
    pub templates: BTreeMap<String, Vec<Template<'s>>>,
}

/// Where a walk is. Cloned on entry to a definition, put back on exit.
#[derive(Clone, Default)]
pub(super) struct Scope {
    /// The nearest named function.
    pub function: Option<SymbolIndex>,
    /// The definition around us.
    pub container: Option<SymbolIndex>,
    /// Inline modules around us, and `fn name` for functions.
    pub within: Vec<Name>,
    /// What a qualified name starts with: `outer::` or nothing.
    pub prefix: String,
    /// Inside test code.
    pub test: bool,
    /// The innermost region.
    pub region: Option<RegionIndex>,
    /// The current statement.
    pub statement: StatementRef,
    /// The `impl` or trait whose members we are at.
    pub members: Option<MembersOf>,
}

/// An `impl` block or a trait.
#[derive(Clone)]
pub(super) struct MembersOf {
    /// The type or trait, as written without generics.
    pub name: Name,
    /// The trait of an `impl Trait for Type`.
    pub of_trait: Option<Name>,
    /// Members are visible wherever the trait is.
    pub exported: bool,
    /// Type parameters with their bounds.
    pub generics: Vec<(Name, Name)>,
}

/// A loop we are in.
pub(super) struct LoopState {
    /// Its label with the quote, if any.
    pub label: Option<Name>,
    /// A `break` or `return` leaves it.
    pub exits_early: bool,
}

/// From positions in a re-parsed piece of text to positions in the file.
#[derive(Clone, Copy, Default)]
struct Shift {
    bytes: i64,
    rows: u32,
}

/// A piece of the file to be parsed again, and how.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    /// First byte in the file.
    pub start: usize,
    /// Its row, from 0.
    pub row: u32,
    /// The text, of the same length as in the file; bytes may differ.
    pub text: &'a str,
}

/// An expression walked: its value, and the calls that give it.
#[derive(Debug, Default)]
pub(super) struct Value {
    /// What it is.
    pub expr: Option<Expr>,
    /// Calls whose result is the value, so that its user can say what becomes of it.
    pub sources: Vec<CallIndex>,
}

impl Value {
    /// A value no call gives.
    pub fn plain(expr: Expr) -> Self {
        Self { expr: Some(expr), sources: Vec::new() }
    }

    /// The value of a call.
    pub fn call(index: CallIndex) -> Self {
        Self { expr: Some(Expr::Call(index)), sources: vec![index] }
    }

    /// The expression, nesting cut to what [`Expr`] allows.
    pub fn into_expr(self) -> Expr {
        self.expr.map_or(Expr::Other, capped)
    }

    /// The same calls under another expression.
    pub fn wrap(self, make: impl FnOnce(Box<Expr>) -> Expr) -> Self {
        let expr = capped(make(Box::new(self.expr.unwrap_or(Expr::Other))));
        Self { expr: Some(expr), sources: self.sources }
    }
}

/// `expr` with what lies deeper than [`Expr::MAX_DEPTH`] replaced.
pub(super) fn capped(mut expr: Expr) -> Expr {
    cut(&mut expr, Expr::MAX_DEPTH);
    expr
}

fn cut(expr: &mut Expr, depth: usize) {
    let leaf = matches!(
        expr,
        Expr::Name(_)
            | Expr::Path(_)
            | Expr::This
            | Expr::Super
            | Expr::Call(_)
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bool(_)
            | Expr::Nothing
            | Expr::Function { .. }
            | Expr::Regex(_)
            | Expr::Other
    );
    if leaf {
        return;
    }
    if depth == 0 {
        *expr = Expr::Other;
        return;
    }
    match expr {
        Expr::Member(inner, _) | Expr::Await(inner) | Expr::Unary(_, inner) | Expr::Spread(inner) => {
            cut(inner, depth - 1);
        }
        Expr::Index(left, right) | Expr::Binary(_, left, right) => {
            cut(left, depth - 1);
            cut(right, depth - 1);
        }
        Expr::Template(parts) => {
            for part in parts {
                if let crate::repo_map::expr::TemplatePart::Hole(hole) = part {
                    cut(hole, depth - 1);
                }
            }
        }
        Expr::Array(items) | Expr::Either(items) => items.iter_mut().for_each(|item| cut(item, depth - 1)),
        Expr::Object(entries) => entries.iter_mut().for_each(|(_, value)| cut(value, depth - 1)),
        _ => {}
    }
}

impl<'s> Walker<'s> {
    /// A walk that has not begun.
    pub fn new(source: &'s str, parser: &'s mut dyn Reparse) -> Self {
        Self {
            source,
            facts: FileFacts::default(),
            scope: Scope::default(),
            loops: Vec::new(),
            defined: FxHashSet::default(),
            shift: Shift::default(),
            blocks: 0,
            nesting: 0,
            parser,
            templates: BTreeMap::new(),
        }
    }

    /// Bytes of `node` in the file.
    pub fn span(&self, node: Node<'_>) -> Span {
        Span { start: self.byte(node.start_byte()), end: self.byte(node.end_byte()) }
    }

    fn byte(&self, byte: usize) -> u32 {
        (byte as i64 + self.shift.bytes).clamp(0, self.source.len() as i64) as u32
    }

    /// First line of `node`.
    pub fn line(&self, node: Node<'_>) -> u32 {
        node.start_row() + 1 + self.shift.rows
    }

    /// Row of `node`, from 0.
    pub fn row(&self, node: Node<'_>) -> u32 {
        node.start_row() + self.shift.rows
    }

    /// Lines of `node`.
    pub fn lines(&self, node: Node<'_>) -> Lines {
        Lines { start: self.line(node), end: node.end_row() + 1 + self.shift.rows }
    }

    /// Text of `node` in the file.
    pub fn text(&self, node: Node<'_>) -> &'s str {
        let Span { start, end } = self.span(node);
        self.source.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Text of `node` with white space folded.
    pub fn folded(&self, node: Node<'_>) -> Name {
        shared::fold(self.text(node)).into()
    }

    /// A plain name: `r#type` is `type`.
    pub fn name(&self, node: Node<'_>) -> Name {
        self.name_text(node).into()
    }

    /// The same, borrowed.
    pub fn name_text(&self, node: Node<'_>) -> &'s str {
        let text = self.text(node);
        text.strip_prefix("r#").unwrap_or(text)
    }

    /// Runs `step` unless nesting has become too deep; then the file counts as partly read.
    pub fn nested<T: Default>(&mut self, step: impl FnOnce(&mut Self) -> T) -> T {
        if self.nesting >= MAX_NESTING {
            self.facts.partly_read = true;
            return T::default();
        }
        self.nesting += 1;
        let result = step(self);
        self.nesting -= 1;
        result
    }

    /// Runs `step` with the walk's place as `change` makes it, and puts the place back.
    pub fn scoped<T>(&mut self, change: impl FnOnce(&mut Scope), step: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.scope.clone();
        change(&mut self.scope);
        let result = step(self);
        self.scope = outer;
        result
    }

    /// Runs `step` inside a new region.
    pub fn in_region<T>(
        &mut self,
        kind: RegionKind,
        body: Node<'_>,
        head_line: u32,
        step: impl FnOnce(&mut Self, RegionIndex) -> T,
    ) -> T {
        let index = self.facts.regions.len() as RegionIndex;
        let lines = Lines { start: head_line, end: self.lines(body).end };
        let (parent, symbol, span) = (self.scope.region, self.scope.function, self.span(body));
        self.facts.regions.push(Region { kind, parent, symbol, span, lines, is_case: false });
        self.scope.region = Some(index);
        let result = step(self, index);
        self.scope.region = parent;
        result
    }

    /// The number of a block that begins.
    pub fn next_block(&mut self) -> u32 {
        self.blocks += 1;
        self.blocks
    }

    /// One more branch in the current function.
    pub fn branch(&mut self) {
        if let Some(function) = self.scope.function {
            self.facts.symbols[function as usize].complexity += 1;
        }
    }

    /// Says what becomes of the values of `sources`.
    pub fn mark(&mut self, sources: &[CallIndex], usage: &Usage) {
        for &index in sources {
            self.facts.calls[index as usize].usage = usage.clone();
        }
    }

    /// Marks and takes the expression.
    pub fn used(&mut self, value: Value, usage: Usage) -> Expr {
        self.mark(&value.sources, &usage);
        value.into_expr()
    }

    /// Parses `piece` between `before` and `after` and runs `step` on the tree, positions mapped to the file. `None` when the text
    /// does not parse whole.
    pub fn reparsed<T>(
        &mut self,
        piece: Piece<'_>,
        before: &str,
        after: &str,
        step: impl FnOnce(&mut Self, Node<'_>) -> Option<T>,
    ) -> Option<T> {
        let tree = self.parser.parse_text(&super::GRAMMAR, &format!("{before}{}{after}", piece.text))?;
        if tree.root_node().has_error() {
            self.parser.take_back(tree);
            return None;
        }
        let outer = self.shift;
        self.shift = Shift { bytes: piece.start as i64 - before.len() as i64, rows: piece.row };
        let result = step(self, tree.root_node());
        self.shift = outer;
        self.parser.take_back(tree);
        result
    }
}

/// Named children, comments left out.
pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.named_children().filter(|child| !is_comment(*child)).collect()
}

/// All children, comments left out.
pub(super) fn tokens<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children().filter(|child| !is_comment(*child)).collect()
}

/// Whether `node` is a comment.
pub(super) fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "line_comment" | "block_comment")
}
