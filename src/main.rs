//! The command line: parse flags, call the library, print.

fn main() {}
