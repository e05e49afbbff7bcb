//! Vercel function `GET /api/spotify/callback`.

fn main() -> std::process::ExitCode {
    patchbay::function::main()
}
