//! What the standard library (and crates that follow it) gives back: data for the types that hold other types.

use super::paths::Space;
use super::types::Ty;

/// The path below `std` of a name that needs no import.
pub(super) fn prelude(name: &str, space: Space) -> Option<&'static [&'static str]> {
    match space {
        Space::Type => prelude_type(name),
        Space::Value => Some(match name {
            "Some" => &["option", "Option", "Some"],
            "None" => &["option", "Option", "None"],
            "Ok" => &["result", "Result", "Ok"],
            "Err" => &["result", "Result", "Err"],
            "drop" => &["mem", "drop"],
            _ => return None,
        }),
        Space::Macro => STD_MACROS.binary_search(&name).ok().map(|at| std::slice::from_ref(&STD_MACROS[at])),
    }
}

fn prelude_type(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "Vec" => VEC,
        "String" => STRING,
        "ToString" => &["string", "ToString"],
        "Option" => OPTION,
        "Result" => RESULT,
        "Box" => &["boxed", "Box"],
        "ToOwned" => &["borrow", "ToOwned"],
        "Clone" => &["clone", "Clone"],
        "Eq" => &["cmp", "Eq"],
        "Ord" => &["cmp", "Ord"],
        "PartialEq" => &["cmp", "PartialEq"],
        "PartialOrd" => &["cmp", "PartialOrd"],
        "AsMut" => &["convert", "AsMut"],
        "AsRef" => &["convert", "AsRef"],
        "From" => &["convert", "From"],
        "Into" => &["convert", "Into"],
        "TryFrom" => &["convert", "TryFrom"],
        "TryInto" => &["convert", "TryInto"],
        "Default" => &["default", "Default"],
        "DoubleEndedIterator" => &["iter", "DoubleEndedIterator"],
        "ExactSizeIterator" => &["iter", "ExactSizeIterator"],
        "Extend" => &["iter", "Extend"],
        "FromIterator" => &["iter", "FromIterator"],
        "IntoIterator" => &["iter", "IntoIterator"],
        "Iterator" => &["iter", "Iterator"],
        "Copy" => &["marker", "Copy"],
        "Send" => &["marker", "Send"],
        "Sized" => &["marker", "Sized"],
        "Sync" => &["marker", "Sync"],
        "Unpin" => &["marker", "Unpin"],
        "Drop" => &["ops", "Drop"],
        "Fn" => &["ops", "Fn"],
        "FnMut" => &["ops", "FnMut"],
        "FnOnce" => &["ops", "FnOnce"],
        "Future" => &["future", "Future"],
        "IntoFuture" => &["future", "IntoFuture"],
        _ => return PRIMITIVES.binary_search(&name).ok().map(|at| std::slice::from_ref(&PRIMITIVES[at])),
    })
}

/// Path of `Option` below `std`.
pub(super) const OPTION: &[&str] = &["option", "Option"];
/// Path of `Result` below `std`.
pub(super) const RESULT: &[&str] = &["result", "Result"];
/// Path of `String` below `std`.
pub(super) const STRING: &[&str] = &["string", "String"];
/// Path of `Vec` below `std`.
pub(super) const VEC: &[&str] = &["vec", "Vec"];

/// Sorted.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16", "u32", "u64", "u8",
    "usize",
];

/// Sorted.
const STD_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include",
    "include_bytes",
    "include_str",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Associated functions that by convention give their own type, bare, in `Option` or in `Result`.
pub(super) fn is_constructor(name: &str) -> bool {
    matches!(name, "new" | "default" | "from" | "try_new" | "try_from" | "with_capacity" | "new_in" | "parse_from")
}

/// Methods of traits that nearly every type has: they give the receiver's own type.
pub(super) fn gives_itself(method: &str) -> bool {
    matches!(method, "clone" | "to_owned" | "by_ref" | "as_ref" | "as_mut" | "borrow" | "borrow_mut" | "into_owned")
}

/// Methods of `Option` and `Result` that leave what is inside alone. On a value whose type is not known beyond the call that
/// gave it, they are seen through.
pub(super) fn is_transparent(method: &str) -> bool {
    matches!(
        method,
        "unwrap"
            | "expect"
            | "unwrap_or_default"
            | "unwrap_or_else"
            | "unwrap_or"
            | "ok"
            | "as_ref"
            | "as_mut"
            | "clone"
            | "context"
            | "with_context"
            | "wrap_err"
            | "wrap_err_with"
            | "map_err"
            | "ok_or"
            | "ok_or_else"
    )
}

/// What a pointer-like type points to.
pub(super) fn deref<'a>(ty: &Ty<'a>) -> Option<Ty<'a>> {
    match ty.outside_name()? {
        "Box" | "Rc" | "Arc" | "Pin" | "Cow" | "Ref" | "RefMut" | "MutexGuard" | "OwnedMutexGuard"
        | "RwLockReadGuard" | "RwLockWriteGuard" | "ManuallyDrop" | "Lazy" | "LazyLock" | "LazyCell"
        | "CachePadded" | "Guard" | "BoxFuture" | "LocalBoxFuture" | "Data" | "State" | "Extension" | "Json" => {
            Some(ty.argument(0))
        }
        "Vec" => Some(Ty::slice(ty.argument(0))),
        "BoxStream" => Some(Ty::iterator(ty.argument(0))),
        _ => None,
    }
    .filter(Ty::is_known)
}

/// Whether `*` on `ty` gives something else.
pub(super) fn is_pointer(ty: &Ty<'_>) -> bool {
    matches!(ty.outside_name(), Some("Box" | "Rc" | "Arc" | "Pin" | "Cow"))
}

/// What iterating over `ty` gives.
pub(super) fn item<'a>(ty: &Ty<'a>) -> Ty<'a> {
    match ty {
        Ty::Iterator(item) | Ty::Slice(item) => (**item).clone(),
        Ty::Tuple(items) => items.first().cloned().unwrap_or_default(),
        Ty::Outside(..) => match ty.outside_name() {
            Some(
                "Vec" | "VecDeque" | "HashSet" | "BTreeSet" | "IndexSet" | "BinaryHeap" | "LinkedList" | "Option"
                | "Result" | "Receiver" | "IntoIter" | "SmallVec" | "ArrayVec" | "FuturesUnordered",
            ) => ty.argument(0),
            Some("HashMap" | "BTreeMap" | "IndexMap" | "DashMap") => Ty::Tuple([ty.argument(0), ty.argument(1)].into()),
            _ => deref(ty).map(|inner| item(&inner)).unwrap_or_default(),
        },
        Ty::Unknown | Ty::Own(..) | Ty::Bounded(_) | Ty::Function(..) => Ty::Unknown,
    }
}

/// What the call of a method says besides its name, worked out when asked for.
pub(super) struct MethodUse<'u, 'a> {
    /// What the closure among the arguments gives.
    pub closure: &'u dyn Fn() -> Ty<'a>,
    /// The type of an argument.
    pub argument: &'u dyn Fn(usize) -> Ty<'a>,
    /// The type argument: `collect::<Vec<_>>()`.
    pub written: &'u dyn Fn() -> Ty<'a>,
}

/// What `method` gives on a type that holds others. `None`: nothing is known about it here.
pub(super) fn method<'a>(receiver: &Ty<'a>, name: &str, uses: &MethodUse<'_, 'a>) -> Option<Ty<'a>> {
    let option = |inner: Ty<'a>| Ty::std(OPTION, [inner]);
    let iterator = |item: Ty<'a>| Ty::iterator(item);
    let family = match receiver {
        Ty::Iterator(_) => "Iterator",
        Ty::Slice(_) | Ty::Tuple(_) => "Vec",
        Ty::Outside(..) => receiver.outside_name()?,
        Ty::Unknown | Ty::Own(..) | Ty::Bounded(_) | Ty::Function(..) => return None,
    };
    let inner = || item(receiver);
    Some(match (family, name) {
        ("Option" | "Result", _) => return of_option(receiver, name, uses),
        ("Iterator" | "ParIter", _) => return of_iterator(receiver, name, uses),
        (_, "iter" | "iter_mut" | "into_iter" | "drain" | "par_iter" | "par_iter_mut" | "into_par_iter")
            if inner().is_known() =>
        {
            iterator(inner())
        }
        ("HashMap" | "BTreeMap" | "IndexMap" | "DashMap", _) => match name {
            "get" | "get_mut" | "remove" | "insert" => option(receiver.argument(1)),
            "values" | "values_mut" | "into_values" => iterator(receiver.argument(1)),
            "keys" | "into_keys" => iterator(receiver.argument(0)),
            "range" => iterator(inner()),
            "entry" => Ty::std(&["collections", "hash_map", "Entry"], [receiver.argument(0), receiver.argument(1)]),
            "first_key_value" | "last_key_value" | "pop_first" | "pop_last" | "remove_entry" => option(inner()),
            "clone" => receiver.clone(),
            _ => return None,
        },
        ("Entry", "or_insert" | "or_insert_with" | "or_default") => receiver.argument(1),
        ("Entry", "and_modify") => receiver.clone(),
        (
            "Vec" | "VecDeque" | "HashSet" | "BTreeSet" | "IndexSet" | "BinaryHeap" | "SmallVec" | "LinkedList",
            "get" | "get_mut" | "first" | "last" | "first_mut" | "last_mut" | "pop" | "pop_front" | "pop_back"
            | "front" | "back" | "front_mut" | "back_mut" | "peek" | "take" | "pop_first" | "pop_last",
        ) => option(inner()),
        ("Vec" | "VecDeque" | "SmallVec", "swap_remove" | "remove") => inner(),
        ("Vec", "join" | "concat") if matches!(inner().outside_name(), Some("str" | "String" | "Cow")) => {
            Ty::plain(STRING)
        }
        ("Vec" | "SmallVec", "chunks" | "windows" | "chunks_exact" | "split") => iterator(Ty::slice(inner())),
        ("Vec" | "SmallVec", "split_first" | "split_last") => option(Ty::Tuple([inner(), Ty::slice(inner())].into())),
        ("Vec" | "SmallVec", "split_at" | "split_at_mut") => Ty::Tuple([Ty::slice(inner()), Ty::slice(inner())].into()),
        (
            "Vec" | "SmallVec",
            "to_vec" | "into_vec" | "as_slice" | "as_mut_slice" | "into_boxed_slice" | "split_off",
        ) => Ty::std(VEC, [inner()]),
        ("Mutex" | "RwLock", "lock" | "read" | "write" | "into_inner" | "get_mut") => {
            let is_std = matches!(receiver, Ty::Outside(outside, _) if outside.package == "std");
            let guarded = receiver.argument(0);
            if is_std { Ty::std(RESULT, [guarded]) } else { guarded }
        }
        ("Mutex" | "RwLock", "try_lock" | "try_read" | "try_write") => Ty::std(RESULT, [receiver.argument(0)]),
        ("RefCell" | "Cell", "borrow" | "borrow_mut" | "get" | "get_mut" | "into_inner" | "take" | "replace") => {
            receiver.argument(0)
        }
        ("OnceLock" | "OnceCell", "get" | "get_mut" | "into_inner" | "take") => option(receiver.argument(0)),
        ("OnceLock" | "OnceCell", "get_or_init") => receiver.argument(0),
        ("Arc" | "Rc", "clone") => receiver.clone(),
        ("Weak", "upgrade") => option(receiver.argument(0)),
        ("Box" | "Arc" | "Rc" | "Cow", "as_ref" | "as_mut" | "deref" | "deref_mut" | "into_owned" | "to_mut") => {
            receiver.argument(0)
        }
        ("JoinHandle", "join") => Ty::std(RESULT, [receiver.argument(0)]),
        ("Receiver", "recv" | "try_recv" | "recv_timeout") => Ty::std(RESULT, [receiver.argument(0)]),
        ("str" | "String", "chars") => iterator(Ty::plain(&["char"])),
        ("str" | "String", "lines" | "split" | "split_whitespace" | "rsplit" | "splitn" | "split_terminator") => {
            iterator(Ty::plain(&["str"]))
        }
        ("str" | "String", "split_once" | "rsplit_once") => {
            option(Ty::Tuple([Ty::plain(&["str"]), Ty::plain(&["str"])].into()))
        }
        ("str" | "String", "strip_prefix" | "strip_suffix" | "get") => option(Ty::plain(&["str"])),
        ("str" | "String", "trim" | "trim_start" | "trim_end" | "as_str") => Ty::plain(&["str"]),
        ("str" | "String", "to_string" | "to_owned" | "to_lowercase" | "to_uppercase" | "replace" | "repeat") => {
            Ty::plain(STRING)
        }
        ("str" | "String", "parse") => Ty::std(RESULT, [(uses.written)()]),
        (_, "clone" | "to_owned" | "by_ref") => receiver.clone(),
        _ => return None,
    })
}

fn of_option<'a>(receiver: &Ty<'a>, name: &str, uses: &MethodUse<'_, 'a>) -> Option<Ty<'a>> {
    let value = receiver.argument(0);
    let is_option = receiver.outside_name() == Some("Option");
    let again = |inner: Ty<'a>| match receiver {
        Ty::Outside(outside, arguments) => {
            let rest = arguments.iter().skip(1).cloned();
            Ty::Outside(outside.clone(), std::iter::once(inner).chain(rest).collect())
        }
        other => other.clone(),
    };
    Some(match name {
        "unwrap" | "expect" | "unwrap_or" | "unwrap_or_else" | "unwrap_or_default" | "get_or_insert_with"
        | "insert" | "get_or_insert" | "unwrap_unchecked" => value,
        "as_ref" | "as_mut" | "take" | "replace" | "cloned" | "copied" | "clone" | "or" | "or_else" | "filter"
        | "inspect" | "inspect_err" | "xor" | "context" | "with_context" | "wrap_err" | "wrap_err_with"
        | "as_pin_mut"
            if !is_option || !name.contains("context") =>
        {
            receiver.clone()
        }
        "as_deref" | "as_deref_mut" => again(deref(&value).unwrap_or(value)),
        "ok" => Ty::std(OPTION, [value]),
        "err" => Ty::std(OPTION, [receiver.argument(1)]),
        "unwrap_err" | "expect_err" => receiver.argument(1),
        "ok_or" | "ok_or_else" | "context" | "with_context" | "map_err" => Ty::std(RESULT, [value]),
        "map" => again((uses.closure)()),
        "and_then" | "map_or" | "map_or_else" => (uses.closure)(),
        "iter" | "iter_mut" | "into_iter" => Ty::iterator(value),
        "flatten" => value,
        "transpose" => {
            let (outer, inner) = if is_option { (RESULT, OPTION) } else { (OPTION, RESULT) };
            Ty::std(outer, [Ty::std(inner, [value.argument(0)])])
        }
        _ => return None,
    })
}

fn of_iterator<'a>(receiver: &Ty<'a>, name: &str, uses: &MethodUse<'_, 'a>) -> Option<Ty<'a>> {
    let inner = item(receiver);
    let iterator = |item: Ty<'a>| Ty::iterator(item);
    let option = |inner: Ty<'a>| Ty::std(OPTION, [inner]);
    Some(match name {
        "filter" | "skip" | "take" | "rev" | "chain" | "peekable" | "cloned" | "copied" | "inspect" | "skip_while"
        | "take_while" | "step_by" | "fuse" | "by_ref" | "iter" | "into_iter" | "cycle" | "sorted" | "sorted_by"
        | "sorted_by_key" | "unique" | "dedup" | "clone" | "boxed" | "par_bridge" | "buffered" | "buffer_unordered" => {
            receiver.clone()
        }
        "enumerate" => iterator(Ty::Tuple([Ty::plain(&["usize"]), inner].into())),
        "zip" => iterator(Ty::Tuple([inner, item(&(uses.argument)(0))].into())),
        "map" => iterator((uses.closure)()),
        "filter_map" | "map_while" | "flat_map" | "then" => iterator(item(&(uses.closure)())),
        "flatten" => iterator(item(&inner)),
        "next" | "next_back" | "last" | "nth" | "max" | "min" | "max_by" | "min_by" | "max_by_key" | "min_by_key"
        | "find" | "peek" | "peek_mut" | "next_if" | "reduce" | "next_if_eq" => option(inner),
        "find_map" => (uses.closure)(),
        "try_next" => Ty::std(RESULT, [option(inner.argument(0))]),
        "collect" | "try_collect" => match (uses.written)() {
            Ty::Outside(outside, arguments) if outside.path.last().is_some_and(|last| *last == "Vec") => {
                let known = arguments.first().filter(|argument| argument.is_known()).cloned();
                Ty::Outside(outside, [known.unwrap_or(inner)].into())
            }
            written => written,
        },
        "fold" => (uses.argument)(0),
        "partition" => {
            let listed = Ty::std(VEC, [inner]);
            Ty::Tuple([listed.clone(), listed].into())
        }
        "sum" | "count" | "position" => Ty::plain(&["usize"]),
        _ => return None,
    })
}

/// What the closure given to `method` takes.
pub(super) fn closure_parameters<'a>(receiver: &Ty<'a>, name: &str) -> Vec<Ty<'a>> {
    let inner = item(receiver);
    match (receiver.outside_name(), name) {
        (_, "map_err" | "or_else" | "inspect_err") => vec![receiver.argument(1)],
        (Some("Result"), "unwrap_or_else") => vec![receiver.argument(1)],
        (Some("Entry"), "and_modify") => vec![receiver.argument(1)],
        (Some("HashMap" | "BTreeMap" | "IndexMap"), "retain") => vec![receiver.argument(0), receiver.argument(1)],
        (Some("HashMap" | "BTreeMap" | "IndexMap" | "Entry"), _) => Vec::new(),
        (_, "fold" | "try_fold" | "scan") => vec![Ty::Unknown, inner],
        (
            _,
            "sort_by" | "sort_unstable_by" | "max_by" | "min_by" | "reduce" | "dedup_by" | "sorted_by" | "is_sorted_by",
        ) => vec![inner.clone(), inner],
        (
            _,
            "map"
            | "for_each"
            | "filter"
            | "filter_map"
            | "flat_map"
            | "any"
            | "all"
            | "position"
            | "find"
            | "find_map"
            | "take_while"
            | "skip_while"
            | "map_while"
            | "inspect"
            | "partition"
            | "max_by_key"
            | "min_by_key"
            | "retain"
            | "retain_mut"
            | "sort_by_key"
            | "sort_unstable_by_key"
            | "and_then"
            | "map_or"
            | "map_or_else"
            | "is_some_and"
            | "is_none_or"
            | "is_ok_and"
            | "then"
            | "try_for_each"
            | "for_each_concurrent"
            | "then_some"
            | "drain_filter"
            | "binary_search_by"
            | "binary_search_by_key"
            | "partition_point"
            | "rposition"
            | "sorted_by_key"
            | "dedup_by_key"
            | "group_by"
            | "chunk_by"
            | "next_if",
        ) => vec![inner],
        _ => Vec::new(),
    }
}
