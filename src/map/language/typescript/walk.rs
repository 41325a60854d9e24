//! The walk: visits every node once, in source order, and carries down what stands around it.

use rustc_hash::FxHashMap;

use crate::map::syntax::Node;
use crate::map::syntax::grammar::{Grammar, KindTable};

use super::super::shared::{CommentCollector, Leaf};
use crate::repo_map::facts::{
    CallIndex, CallSite, FileFacts, Region, RegionIndex, Span, StatementRef, SymbolIndex, Usage,
};
use crate::repo_map::name::Name;

/// What becomes of the value of the expression being visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Discarded,
    Ignored,
    /// Bytes of the name; empty for a pattern.
    Bound(u32, u32),
    Assigned,
    Returned,
    Argument(CallIndex),
    Receiver(CallIndex),
    Tested,
    Operand,
    Element,
    Passed,
}

/// An identifier that is no definition, and what becomes of its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameUse {
    pub span: Span,
    pub usage: Use,
    pub awaited: bool,
    /// Not the name of a member.
    pub is_value: bool,
    /// The name of a type.
    pub is_type: bool,
}

/// What stands around the node being visited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// Nearest named function.
    pub caller: Option<SymbolIndex>,
    /// Nearest definition: function, class, interface, namespace.
    pub container: Option<SymbolIndex>,
    /// Innermost region.
    pub region: Option<RegionIndex>,
    /// Region of the anonymous function that `return` leaves; `None` when that is `caller`.
    pub callback: Option<RegionIndex>,
    /// Loop that a plain `break` leaves.
    pub breaks: Option<RegionIndex>,
    /// Block and place of the statement.
    pub statement: StatementRef,
    /// What becomes of the value.
    pub usage: Use,
    /// Under `await`.
    pub awaited: bool,
    /// In `typeof value` as a type.
    pub in_type: bool,
    /// Inside a callback of a test runner.
    pub test: bool,
    /// Outside every function: variables here are module level.
    pub top: bool,
    /// Right under `export`, and whether `default` was written.
    pub exported: bool,
    pub default_export: bool,
    /// A doc comment stands before the statement.
    pub documented: bool,
    /// Bytes of the statement or member a definition is written in, decorators left out; empty when it has none of its own.
    pub whole: Span,
}

impl Context {
    /// The top level of a file.
    pub fn nowhere() -> Context {
        Context {
            caller: None,
            container: None,
            region: None,
            callback: None,
            breaks: None,
            statement: StatementRef::default(),
            usage: Use::Operand,
            awaited: false,
            in_type: false,
            test: false,
            top: true,
            exported: false,
            default_export: false,
            documented: false,
            whole: Span::default(),
        }
    }

    /// The same place, for the value of something with this use.
    pub fn used(self, usage: Use) -> Context {
        Context { usage, awaited: false, ..self }
    }

    /// The bytes a definition at `node` takes up: the statement around it, when that has no other part.
    pub fn whole_or(self, node: Node<'_>) -> Span {
        if self.whole == Span::default() { super::shared::span(node) } else { self.whole }
    }

    /// The same place, for a part that is no definition of its own.
    pub fn inner(self) -> Context {
        Context { exported: false, default_export: false, documented: false, whole: Span::default(), ..self }
    }
}

/// The state of one walk.
pub(super) struct Walker<'t> {
    pub source: &'t str,
    kinds: &'static Kinds,
    pub facts: FileFacts,
    /// Nodes still to visit, the next one last.
    pub stack: Vec<(Node<'t>, Context)>,
    /// Call sites by node, handed out on first mention; the walk fills them in.
    pub call_of: FxHashMap<u32, CallIndex>,
    /// Position of the callee's name, by call; `None` until the walk has filled the site in.
    pub call_keys: Vec<Option<u32>>,
    /// Regions of functions written in place, by node.
    pub region_of: FxHashMap<u32, RegionIndex>,
    /// Symbols of functions, by the node of the function.
    pub symbol_of: FxHashMap<u32, SymbolIndex>,
    /// Decorators of class members, by the node of the member.
    pub decorators: FxHashMap<u32, Vec<Name>>,
    pub comments: CommentCollector,
    pub blocks: u32,
    /// Start and length of every token, comments left out.
    pub leaves: Vec<(u32, u32)>,
    /// Identifiers that are no definition.
    pub names: Vec<NameUse>,
}

impl<'t> Walker<'t> {
    pub fn new(source: &'t str, kinds: &'static Kinds) -> Walker<'t> {
        Walker {
            source,
            kinds,
            facts: FileFacts::default(),
            stack: Vec::new(),
            call_of: FxHashMap::default(),
            call_keys: Vec::new(),
            region_of: FxHashMap::default(),
            symbol_of: FxHashMap::default(),
            decorators: FxHashMap::default(),
            comments: CommentCollector::default(),
            blocks: 0,
            leaves: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Visits `root` and everything below it.
    pub fn run(&mut self, root: Node<'t>) {
        self.stack.push((root, Context::nowhere()));
        while let Some((node, context)) = self.stack.pop() {
            let pushed = self.stack.len();
            self.visit(node, context);
            // Visitors push in source order; the stack gives back the last one first.
            self.stack[pushed..].reverse();
        }
    }

    /// The text of `node`.
    pub fn text(&self, node: Node<'_>) -> &'t str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    /// Children with their field names.
    pub fn children(&self, node: Node<'t>) -> impl Iterator<Item = (Node<'t>, Option<&'static str>)> + use<'t> {
        node.children().map(|child| (child, child.field_name()))
    }

    /// Named children, comments left out.
    pub fn named(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> + use<'t> {
        node.children().filter(|child| child.is_named() && child.kind() != "comment")
    }

    /// Visits `node` later, in the order of the calls.
    pub fn push(&mut self, node: Node<'t>, context: Context) {
        // Comments keep their place: they are read in order.
        if node.is_leaf() && !node.is_extra() {
            self.visit_leaf(node, context);
        } else {
            self.stack.push((node, context));
        }
    }

    /// Visits all children of `node` as plain parts.
    pub fn push_children(&mut self, node: Node<'t>, context: Context) {
        for child in node.children() {
            // Tokens need no place around them.
            self.push(child, context);
        }
    }

    /// A number for a block of statements.
    pub fn next_block(&mut self) -> StatementRef {
        self.blocks += 1;
        StatementRef { block: self.blocks, index: 0 }
    }

    /// Visits a list of statements: each knows its place and whether a doc comment stands before it.
    pub fn push_statements(&mut self, nodes: impl IntoIterator<Item = Node<'t>>, context: Context) {
        let mut statement = self.next_block();
        let mut documented = false;
        for node in nodes {
            if node.kind() == "comment" {
                documented = self.text(node).starts_with("/**");
                self.stack.push((node, context));
                continue;
            }
            let own = Context { statement, documented, usage: Use::Operand, awaited: false, ..context.inner() };
            self.stack.push((node, own));
            if node.is_named() {
                statement.index += 1;
                documented = false;
            }
        }
    }

    /// A place for the call at `node`; the same one every time.
    pub fn call_slot(&mut self, node: Node<'_>) -> CallIndex {
        if let Some(&index) = self.call_of.get(&node.id()) {
            return index;
        }
        let index = self.facts.calls.len() as CallIndex;
        self.facts.calls.push(CallSite {
            callee: crate::repo_map::expr::Expr::Other,
            name: Name::default(),
            kind: crate::repo_map::facts::CallKind::Call,
            caller: None,
            region: None,
            span: super::shared::span(node),
            line: 0,
            end_line: 0,
            usage: Usage::Operand,
            awaited: false,
            propagated: false,
            arguments: Vec::new(),
            type_arguments: None,
            statement: StatementRef::default(),
        });
        self.call_keys.push(None);
        self.call_of.insert(node.id(), index);
        index
    }

    /// A new region.
    pub fn add_region(&mut self, region: Region) -> RegionIndex {
        self.facts.regions.push(region);
        (self.facts.regions.len() - 1) as RegionIndex
    }

    fn visit(&mut self, node: Node<'t>, context: Context) {
        if node.is_leaf() {
            self.visit_leaf(node, context);
        } else if node.is_named() {
            let visit = self.kinds.visits.of(node);
            visit(self, node, context);
        } else {
            self.push_children(node, context.inner());
        }
    }

    fn visit_block(&mut self, node: Node<'t>, context: Context) {
        self.push_statements(node.children(), context);
    }

    fn visit_ambient(&mut self, node: Node<'t>, context: Context) {
        let whole = context.whole_or(node);
        self.push_children(node, Context { whole, ..context });
    }

    fn visit_unary(&mut self, node: Node<'t>, context: Context) {
        let usage = match node.child(0).map(|operator| operator.kind()) {
            Some("void") => Use::Ignored,
            Some("!") => Use::Tested,
            Some("typeof") => Use::Passed,
            _ => Use::Operand,
        };
        self.push_children(node, context.inner().used(usage));
    }

    /// `a.b`: reads `a`, unless it is what an assignment writes to.
    fn visit_member(&mut self, node: Node<'t>, context: Context) {
        let usage = if context.usage == Use::Passed { Use::Passed } else { Use::Operand };
        self.push_children(node, context.inner().used(usage));
    }

    /// A token: counted, and noted when it is a name.
    pub fn visit_leaf(&mut self, node: Node<'t>, context: Context) {
        let token = self.kinds.leaves.of(node);
        match token {
            Token::Comment => return self.comments.push(node, self.source),
            Token::Ignored => return,
            Token::Name | Token::Value | Token::Type => self.names.push(NameUse {
                span: super::shared::span(node),
                usage: context.usage,
                awaited: context.awaited,
                is_value: token == Token::Value && !context.in_type,
                is_type: token == Token::Type || token == Token::Value && context.in_type,
            }),
            Token::Other => {}
        }
        self.count(node);
    }

    /// Counts a token.
    pub fn count(&mut self, node: Node<'_>) {
        self.leaves.push((node.start_byte() as u32, (node.end_byte() - node.start_byte()) as u32));
    }

    /// One more branch in the function around.
    pub fn branch(&mut self, context: Context) {
        if let Some(symbol) = context.caller {
            let symbol = &mut self.facts.symbols[symbol as usize];
            symbol.complexity = symbol.complexity.saturating_add(1);
        }
    }

    /// `usage` as the facts say it.
    pub fn usage(&self, usage: Use) -> Usage {
        match usage {
            Use::Discarded => Usage::Discarded,
            Use::Ignored => Usage::Ignored,
            Use::Bound(start, end) => {
                Usage::Bound(self.source.get(start as usize..end as usize).unwrap_or_default().into())
            }
            Use::Assigned => Usage::Assigned,
            Use::Returned => Usage::Returned,
            Use::Argument(call) => Usage::Argument(call),
            Use::Receiver(call) => Usage::Receiver(call),
            Use::Tested => Usage::Tested,
            Use::Operand => Usage::Operand,
            Use::Element => Usage::Element,
            Use::Passed => Usage::Passed,
        }
    }
}

/// What to do about each kind of node, by grammar.
pub(super) struct Kinds {
    visits: KindTable<Visit>,
    leaves: KindTable<Token>,
    /// What each kind is to duplication detection.
    pub lines: KindTable<Leaf>,
}

type Visit = for<'t> fn(&mut Walker<'t>, Node<'t>, Context);

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Comment,
    Ignored,
    /// A name of a member.
    Name,
    /// A name of a type.
    Type,
    /// A name that stands for a value.
    Value,
    Other,
}

impl Kinds {
    pub fn new(grammar: &Grammar) -> Self {
        Self {
            visits: KindTable::new(grammar, visit_of),
            leaves: KindTable::new(grammar, token_of),
            lines: KindTable::new(grammar, leaf_of),
        }
    }
}

fn visit_of(kind: &str) -> Visit {
    match kind {
        "program" | "statement_block" => |walker, node, context| walker.visit_block(node, context),
        "expression_statement" => |walker, node, context| walker.visit_expression_statement(node, context),
        "comment" => |walker, node, _| walker.comments.push(node, walker.source),

        "import_statement" => |walker, node, context| walker.visit_import(node, context),
        "import_alias" => |walker, node, context| walker.visit_import_alias(node, context),
        "export_statement" => |walker, node, context| walker.visit_export(node, context),

        "function_declaration" | "generator_function_declaration" | "function_signature" => {
            |walker, node, context| walker.visit_function_declaration(node, context)
        }
        "arrow_function" | "function_expression" | "generator_function" => {
            |walker, node, context| walker.visit_function_value(node, context)
        }
        "class_declaration" | "abstract_class_declaration" | "class" => {
            |walker, node, context| walker.visit_class(node, context)
        }
        "interface_declaration" => |walker, node, context| walker.visit_interface(node, context),
        "type_alias_declaration" => |walker, node, context| walker.visit_type_alias(node, context),
        "enum_declaration" => |walker, node, context| walker.visit_enum(node, context),
        "internal_module" | "module" => |walker, node, context| walker.visit_namespace(node, context),
        "lexical_declaration" | "variable_declaration" => {
            |walker, node, context| walker.visit_declaration(node, context)
        }
        // Class bodies and named objects give theirs a symbol first.
        "method_definition" => |walker, node, context| walker.visit_function_value(node, context),
        "ambient_declaration" => |walker, node, context| walker.visit_ambient(node, context),

        "call_expression" => |walker, node, context| walker.visit_call(node, context),
        "new_expression" => |walker, node, context| walker.visit_new(node, context),
        "jsx_element" | "jsx_self_closing_element" => |walker, node, context| walker.visit_jsx(node, context),
        "decorator" => |walker, node, context| walker.visit_decorator(node, context),

        "for_in_statement" => |walker, node, context| walker.visit_for_in(node, context),
        "for_statement" => |walker, node, context| walker.visit_for(node, context),
        "while_statement" | "do_statement" => |walker, node, context| walker.visit_while(node, context),
        "if_statement" => |walker, node, context| walker.visit_if(node, context),
        "switch_statement" => |walker, node, context| walker.visit_switch(node, context),
        "try_statement" => |walker, node, context| walker.visit_try(node, context),
        "return_statement" => |walker, node, context| walker.visit_return(node, context),
        "break_statement" => |walker, node, context| walker.visit_break(node, context),
        "labeled_statement" => |walker, node, context| walker.push_children(node, context),

        "assignment_expression" | "augmented_assignment_expression" => {
            |walker, node, context| walker.visit_assignment(node, context)
        }
        "update_expression" => |walker, node, context| walker.visit_update(node, context),
        "binary_expression" => |walker, node, context| walker.visit_binary(node, context),
        "ternary_expression" => |walker, node, context| walker.visit_ternary(node, context),
        "unary_expression" => |walker, node, context| walker.visit_unary(node, context),
        "await_expression" => {
            |walker, node, context| walker.push_children(node, Context { awaited: true, ..context.inner() })
        }
        // The value passes through.
        "parenthesized_expression"
        | "as_expression"
        | "satisfies_expression"
        | "type_assertion"
        | "non_null_expression"
        | "instantiation_expression" => |walker, node, context| walker.push_children(node, context.inner()),
        "sequence_expression" => |walker, node, context| walker.visit_sequence(node, context),
        "array" | "jsx_expression" | "object" => {
            |walker, node, context| walker.push_children(node, context.inner().used(Use::Element))
        }
        "pair" => |walker, node, context| walker.visit_pair(node, context),
        "type_query" => {
            |walker, node, context| walker.push_children(node, Context { in_type: true, ..context.inner() })
        }
        "member_expression" | "subscript_expression" => |walker, node, context| walker.visit_member(node, context),
        "yield_expression" | "throw_statement" => {
            |walker, node, context| walker.push_children(node, context.inner().used(Use::Passed))
        }
        "required_parameter" | "optional_parameter" => |walker, node, context| walker.visit_parameter(node, context),
        _ => |walker, node, context| walker.push_children(node, context.inner().used(Use::Operand)),
    }
}

fn token_of(kind: &str) -> Token {
    match kind {
        "comment" => Token::Comment,
        "html_comment" | "hash_bang_line" => Token::Ignored,
        "identifier" | "shorthand_property_identifier" => Token::Value,
        "type_identifier" => Token::Type,
        kind if is_name(kind) => Token::Name,
        _ => Token::Other,
    }
}

fn leaf_of(kind: &str) -> Leaf {
    match kind {
        "comment" | "html_comment" | "hash_bang_line" => Leaf::Skip,
        "import_statement" => Leaf::SkipLine,
        "string" | "string_fragment" | "escape_sequence" | "number" | "regex" | "jsx_text" => Leaf::Literal,
        kind if is_name(kind) => Leaf::Name,
        _ => Leaf::Syntax,
    }
}

fn is_name(kind: &str) -> bool {
    matches!(
        kind,
        "identifier"
            | "property_identifier"
            | "private_property_identifier"
            | "type_identifier"
            | "shorthand_property_identifier"
            | "shorthand_property_identifier_pattern"
    )
}

/// The node a wrapped expression is about: parentheses, casts and `!` taken off.
pub(super) fn unwrapped(mut node: Node<'_>) -> Node<'_> {
    while matches!(
        node.kind(),
        "parenthesized_expression" | "as_expression" | "satisfies_expression" | "non_null_expression"
    ) {
        match node.named_child(0) {
            Some(inner) if inner.kind() != "comment" => node = inner,
            _ => break,
        }
    }
    node
}

/// Whether `node` is a function value.
pub(super) fn is_function(node: Node<'_>) -> bool {
    matches!(node.kind(), "arrow_function" | "function_expression" | "generator_function")
}
