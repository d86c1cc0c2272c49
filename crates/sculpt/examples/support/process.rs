//! The memory of this process.

use std::error::Error;

/// Returns a size from Linux's status of this process, in bytes.
pub fn status(field: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kibibytes
        .ok_or("/proc/self/status does not have this field")?
        .parse::<u64>()?
        * 1024)
}
