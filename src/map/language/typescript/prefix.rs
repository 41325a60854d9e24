//! Words before a call with type arguments: `await f<T>(x)`, `!f<T>(x)`.
//!
//! The grammar reads them as `(await f)<T>(x)`, which nobody can mean without parentheses. What is asked here puts the word
//! back in front of the whole chain.

use crate::map::syntax::Node;

/// Links of a chain that are followed to its start. Our choice: longer ones keep what the grammar says.
const MAX_LINKS: usize = 64;

/// Whether a callee is a prefix with its operand.
pub(super) fn is_prefix(node: Node<'_>) -> bool {
    matches!(node.kind(), "await_expression" | "unary_expression")
}

/// What the prefix stands before.
pub(super) fn operand(node: Node<'_>) -> Option<Node<'_>> {
    node.named_children().filter(|child| child.kind() != "comment").last()
}

/// A callee without the words before it.
pub(super) fn callee(mut node: Node<'_>) -> Node<'_> {
    while is_prefix(node) {
        match operand(node) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// The callee at the start of the chain that ends in `call`, when the grammar put words before it.
fn start_of_chain(call: Node<'_>) -> Option<Node<'_>> {
    let mut node = call;
    for _ in 0..MAX_LINKS {
        node = match node.kind() {
            "call_expression" => node.child_by_field_name("function")?,
            "member_expression" | "subscript_expression" => node.child_by_field_name("object")?,
            "non_null_expression" => node.named_child(0)?,
            _ => return None,
        };
        if is_prefix(node) {
            return Some(node);
        }
    }
    None
}

/// Where the chain that ends in `call` starts, the words before it left out.
pub(super) fn callee_start(call: Node<'_>) -> usize {
    start_of_chain(call).map_or(call.start_byte(), |start| callee(start).start_byte())
}

/// The prefixes that belong to the value of `call`, outermost first: none where the chain goes on.
pub(super) fn of_chain(call: Node<'_>) -> Vec<Node<'_>> {
    let Some(mut start) = start_of_chain(call) else { return Vec::new() };
    let mut last = call;
    while let Some(parent) = last.parent() {
        match parent.kind() {
            "non_null_expression" => last = parent,
            "member_expression" | "subscript_expression" if parent.child_by_field_name("object") == Some(last) => {
                return Vec::new();
            }
            "call_expression" if parent.child_by_field_name("function") == Some(last) => return Vec::new(),
            _ => break,
        }
    }
    let mut found = Vec::new();
    while is_prefix(start) {
        found.push(start);
        match operand(start) {
            Some(inner) => start = inner,
            None => break,
        }
    }
    found
}

/// Whether a `?.` stands in the chain that ends in `call`: its value may be that nothing was called.
pub(super) fn is_optional(call: Node<'_>) -> bool {
    let mut node = call;
    for _ in 0..MAX_LINKS {
        if node.children().any(|child| matches!(child.kind(), "optional_chain" | "?.")) {
            return true;
        }
        let next = match node.kind() {
            "call_expression" => node.child_by_field_name("function"),
            "member_expression" | "subscript_expression" => node.child_by_field_name("object"),
            "non_null_expression" => node.named_child(0),
            _ => None,
        };
        match next {
            Some(next) => node = callee(next),
            None => return false,
        }
    }
    false
}
