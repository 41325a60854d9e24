//! The `improve` program: see [`cli`].

mod cli;

/// Extraction makes many short strings, and the parser, which is C, many small nodes: both go to one allocator that is quick at it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    if let Some(code) = improve::sandbox::helper::run_if_asked() {
        return code;
    }
    improve::sandbox::conceal();
    cli::main()
}
