//! Files that hold secrets.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

use anyhow::Context;

/// The permission bits of all users except the owner.
#[cfg(unix)]
const OTHER_USERS: u32 = 0o077;

/// Creates a folder and its missing parents. On Unix, only their owner has access to them. Folders
/// that exist keep their permissions, because they may be shared on purpose.
///
/// # Errors
/// Fails if a folder cannot be created.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file to read and write it. Creates the file if it is missing. On Unix, access to it is
/// limited to its owner, also if the file exists. Prints a warning if that is not possible, for
/// example on a file system without permissions.
///
/// # Errors
/// Fails if the file cannot be opened or created.
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if let Err(error) = restrict_to_owner(&file) {
        eprintln!("{} is accessible to other users: {error}", path.display());
    }
    Ok(file)
}

#[cfg(unix)]
fn restrict_to_owner(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let is_private =
        || -> io::Result<bool> { Ok(file.metadata()?.permissions().mode() & OTHER_USERS == 0) };
    if is_private()? {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    match is_private()? {
        true => Ok(()),
        false => Err(io::Error::other("the file system has no permissions")),
    }
}

/// Reads a file that holds secrets.
///
/// # Errors
/// Fails if the file cannot be read or, on Unix, if users other than its owner have access to it.
pub fn read_private(file: &Path) -> anyhow::Result<String> {
    let path = file.display();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(file).with_context(|| format!("Cannot read {path}"))?;
        if metadata.permissions().mode() & OTHER_USERS != 0 {
            anyhow::bail!("{path} is accessible to other users; run `chmod 600 {path}`");
        }
    }
    fs::read_to_string(file).with_context(|| format!("Cannot read {path}"))
}
