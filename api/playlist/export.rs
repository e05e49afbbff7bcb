//! Vercel function `/api/playlist/export`: its own file for the longer time limit.

fn main() -> std::process::ExitCode {
    patchbay::function::main()
}
