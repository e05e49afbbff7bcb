//! Vercel function `GET /api/spotify/status`.

fn main() -> std::process::ExitCode {
    patchbay::function::main()
}
