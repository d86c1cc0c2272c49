//! Messages for the person at the terminal.

use std::sync::LazyLock;
use std::time::Instant;

/// Prints which step begins, and how many seconds have passed since the first.
pub fn step(description: &str) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    eprintln!(
        "\x1b[1m· {:>4} s  {description}\x1b[0m",
        START.elapsed().as_secs()
    );
}
