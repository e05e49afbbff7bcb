//! Vercel function behind the rewrites: every route without a file of its own, from one warm instance.

fn main() -> std::process::ExitCode {
    patchbay::function::main()
}
