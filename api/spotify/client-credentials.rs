//! Vercel function `POST /api/spotify/client-credentials`.

fn main() -> std::process::ExitCode {
    patchbay::function::main()
}
