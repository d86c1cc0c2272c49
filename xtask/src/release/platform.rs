//! The platforms that the server is published for.

use clap::ValueEnum;

/// A platform that the server is published for, named as Node.js does.
#[derive(Clone, Copy, ValueEnum)]
pub enum Platform {
    LinuxX64,
    LinuxArm64,
    Win32X64,
    DarwinX64,
    DarwinArm64,
}

impl Platform {
    /// Returns its name: the `process.platform` and `process.arch` of Node.js.
    pub fn name(self) -> String {
        format!("{}-{}", self.os(), self.cpu())
    }

    /// Returns the name of its npm package.
    pub fn package(self) -> String {
        format!("@csm-image-to-3d/server-{}", self.name())
    }

    /// Returns the `os` of its npm package.
    pub fn os(self) -> &'static str {
        match self {
            Self::LinuxX64 | Self::LinuxArm64 => "linux",
            Self::Win32X64 => "win32",
            Self::DarwinX64 | Self::DarwinArm64 => "darwin",
        }
    }

    /// Returns the `cpu` of its npm package.
    pub fn cpu(self) -> &'static str {
        match self {
            Self::LinuxX64 | Self::Win32X64 | Self::DarwinX64 => "x64",
            Self::LinuxArm64 | Self::DarwinArm64 => "arm64",
        }
    }

    /// Returns the target of the compiler. On Linux the program is linked statically with musl, so that
    /// it runs in every distribution and in an empty container.
    pub fn target(self) -> &'static str {
        match self {
            Self::LinuxX64 => "x86_64-unknown-linux-musl",
            Self::LinuxArm64 => "aarch64-unknown-linux-musl",
            Self::Win32X64 => "x86_64-pc-windows-gnu",
            Self::DarwinX64 => "x86_64-apple-darwin",
            Self::DarwinArm64 => "aarch64-apple-darwin",
        }
    }

    /// Returns the file name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Win32X64 => "csm-image-to-3d-server.exe",
            _ => "csm-image-to-3d-server",
        }
    }
}
