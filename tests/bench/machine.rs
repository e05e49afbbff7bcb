//! What the machine knows: the time, and what a process has used (Linux).

use std::{
    fs, io,
    time::{Duration, Instant},
};

/// Linux tells a process's time in these, on every architecture that Rust's tier 1 has (`USER_HZ`).
const TICKS_PER_S: u32 = 100;

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
pub fn now() -> Instant {
    Instant::now()
}

/// Processor time a process has used so far, in itself and in the kernel.
pub fn cpu_time(process: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Behind the name, which is in brackets and may hold anything: fields 14 and 15 of proc_pid_stat(5).
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok());
    Ok(Duration::from_secs(1) * ticks.sum::<u32>() / TICKS_PER_S)
}

/// Memory a process has in use, and the most it ever had, in bytes.
pub fn memory(process: u32) -> io::Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let bytes = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024)
            .ok_or_else(|| io::Error::other(format!("no {name}")))
    };
    Ok((bytes("VmRSS")?, bytes("VmHWM")?))
}
