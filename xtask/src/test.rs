//! All tests.

use anyhow::Result;
use xshell::Shell;

pub fn test(_shell: &Shell) -> Result<()> {
    Ok(())
}
