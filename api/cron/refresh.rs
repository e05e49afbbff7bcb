//! Vercel function `/api/cron/refresh`: its own file for the longer time limit.

fn main() -> std::process::ExitCode {
    patchbay::function::main()
}
