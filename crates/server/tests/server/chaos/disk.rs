//! A disk that can be full.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{MIB, Server};

/// The size of the disk unless it is full. A tmpfs takes only the memory of its files.
const SIZE: u64 = 4096 * MIB;
/// How often the disk is made smaller while the server still writes.
const ATTEMPTS: u64 = 10;

/// The script of the server's command. Without the trap, a write beyond the file size limit of
/// [`Server::fill_disk`] would end the process.
const SERVER: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

/// The disk of the data folder.
pub struct Disk {
    /// Where this process may mount, a small file system.
    tmpfs: Option<Tmpfs>,
}

/// A file system in memory, in a mount namespace of its own, which ends with the process that holds
/// it. This process holds its standard input, so that nothing is left if the tests are killed.
struct Tmpfs {
    holder: Child,
    folder: PathBuf,
}

impl Disk {
    /// Mounts a file system at `folder`. Where this process may not mount, a full disk is a limit for
    /// the size of the server's files instead.
    pub fn new(folder: &Path) -> Self {
        let tmpfs = Tmpfs::mount(folder);
        if tmpfs.is_none() {
            println!("Cannot mount a tmpfs: limits the size of the files instead");
        }
        Self { tmpfs }
    }

    /// Returns the command of the server on this disk.
    pub fn server_command(&self) -> Command {
        let mut command = match &self.tmpfs {
            Some(tmpfs) => tmpfs.command("sh"),
            None => Command::new("sh"),
        };
        command.args(["-c", SERVER, env!("CARGO_BIN_EXE_csm-image-to-3d-server")]);
        command
    }

    /// Makes the disk full: no file can grow, or at random no file can be written at all.
    pub fn fill(&self, server: &Server, random: &mut fastrand::Rng) {
        match &self.tmpfs {
            Some(tmpfs) if random.bool() => tmpfs.fill(random.u64(0..256)),
            _ => server.fill_disk(),
        }
    }

    /// Gives the file system its room again. The limit of a process ends with it, or with
    /// [`Server::empty_disk`].
    pub fn empty(&self) {
        if let Some(tmpfs) = &self.tmpfs {
            assert!(tmpfs.resize(SIZE));
        }
    }
}

impl Tmpfs {
    fn mount(folder: &Path) -> Option<Self> {
        let script = "mount -t tmpfs -o size=$1,mode=700 tmpfs \"$0\" && echo mounted && read _";
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(folder)
            .arg(SIZE.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take()?)
            .read_line(&mut line)
            .ok()?;
        let folder = folder.to_owned();
        let tmpfs = Self { holder, folder };
        (line == "mounted\n").then_some(tmpfs)
    }

    /// Returns a command that sees the file system.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string()]);
        command.args(["--", program]);
        command
    }

    /// Leaves this many blocks of 4 KiB free, or a few more while the server still writes.
    fn fill(&self, blocks: u64) {
        let root = format!("/proc/{}/root", self.holder.id());
        let file = format!("{root}{}/sessions.redb", self.folder.display());
        for attempt in 0..ATTEMPTS {
            let Ok(metadata) = std::fs::metadata(&file) else {
                return;
            };
            let used = metadata.blocks() * 512;
            let margin = (blocks + 1 + (attempt << attempt)) * 4096;
            if self.resize(used + margin) {
                return;
            }
        }
    }

    /// Changes the size of the file system. Returns `false` if its files are larger.
    fn resize(&self, bytes: u64) -> bool {
        let output = self
            .command("mount")
            .args(["-o", &format!("remount,size={bytes}")])
            .arg(&self.folder)
            .output();
        output.unwrap().status.success()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // It may have exited already.
        let _ = self.holder.wait();
    }
}
