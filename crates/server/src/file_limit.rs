//! The number of files that the process may open, and how many of them connections may use.

/// The file handles that are left for the store, downloads, engines and rejected connections, besides
/// two for each job.
const RESERVED: usize = 64;

/// The number of open files that is assumed if the limit cannot be read: the usual soft limit.
const ASSUMED: u64 = 1024;

/// Raises the number of files that the process may open as far as the system permits, and returns it.
/// The usual soft limit of 1024 exists for programs that use `select`, which this one does not.
pub fn raise() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(ASSUMED);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Returns how many connections fit into `open_files`, beside `jobs` that run at the same time, if
/// each connection needs `files_each`. Returns at least 1.
pub fn max_connections(open_files: usize, jobs: usize, files_each: usize) -> usize {
    let reserved = RESERVED.saturating_add(jobs.saturating_mul(2));
    (open_files.saturating_sub(reserved) / files_each).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_files_for_other_purposes() {
        assert_eq!(max_connections(1024, 8, 1), 944);
        assert_eq!(max_connections(1024, 8, 2), 472);
        assert_eq!(max_connections(16, 8, 1), 1);
    }
}
