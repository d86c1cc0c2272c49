//! The server's program for each platform: as an npm package with the demo page, and as an archive.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use xshell::{Shell, cmd};

use super::platform::Platform;
use crate::build::VERSION;
use crate::console::step;
use crate::files::copy_folder;

const PACKAGE: &str = "csm-image-to-3d-server";

/// The files that go with every copy of the program.
const TEXTS: [&str; 4] = [
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "CHANGELOG.md",
    "crates/server/THIRD_PARTY_NOTICES.md",
];

/// Compiles the program with zig as the linker and C compiler, and returns its path.
pub fn compile(shell: &Shell, platform: Platform) -> Result<PathBuf> {
    let target = platform.target();
    step(&format!("compiling the server for {}", platform.name()));
    cmd!(shell, "rustup --quiet target add {target}")
        .quiet()
        .run()?;
    cmd!(
        shell,
        "cargo zigbuild --quiet --locked --profile server --package {PACKAGE} --target {target}"
    )
    // 14 % of the program's size.
    .env("CARGO_PROFILE_SERVER_STRIP", "symbols")
    .quiet()
    .run()?;
    let folder = shell.current_dir().join("target").join(target);
    Ok(folder.join("server").join(platform.program()))
}

/// Writes and packs the npm package of a platform, and returns the folder with its content.
pub fn npm_package(
    shell: &Shell,
    platform: Platform,
    program: &Path,
    into: &Path,
) -> Result<PathBuf> {
    let folder = into.join(format!("server-{}", platform.name()));
    shell.create_dir(&folder)?;
    shell.copy_file(program, &folder)?;
    for text in TEXTS {
        shell.copy_file(text, &folder)?;
    }
    copy_folder(shell.current_dir().join("dist"), folder.join("site"))?;
    let manifest = json!({
        "name": platform.package(),
        "version": VERSION,
        "description": format!("The server of csm-image-to-3d for {}", platform.name()),
        "license": env!("CARGO_PKG_LICENSE"),
        "repository": { "type": "git", "url": format!("git+{}.git", env!("CARGO_PKG_REPOSITORY")) },
        "os": [platform.os()],
        "cpu": [platform.cpu()],
        "preferUnplugged": true,
    });
    shell.write_file(folder.join("package.json"), format!("{manifest:#}\n"))?;
    let readme = format!(
        "# {}\n\nThe server of [csm-image-to-3d](https://www.npmjs.com/package/csm-image-to-3d) for {}.\n\
         `npx csm-image-to-3d` installs and runs it.\n",
        platform.package(),
        platform.name()
    );
    shell.write_file(folder.join("README.md"), readme)?;
    pack(shell, &folder, into)?;
    Ok(folder)
}

/// Packs an npm package.
pub fn pack(shell: &Shell, folder: &Path, into: &Path) -> Result<()> {
    cmd!(
        shell,
        "npm pack --silent --pack-destination {into} {folder}"
    )
    .quiet()
    .run()?;
    Ok(())
}

/// Writes the archive of a platform: the program, the demo page and the texts.
pub fn archive(shell: &Shell, platform: Platform, package: &Path, into: &Path) -> Result<()> {
    let name = format!("{PACKAGE}-{VERSION}-{}", platform.name());
    let staging = into.join(&name);
    copy_folder(package, &staging)?;
    shell.remove_path(staging.join("package.json"))?;
    shell.remove_path(staging.join("README.md"))?;
    let archive = into.join(format!("{name}.tar.gz"));
    // The same input makes the same bytes.
    let flags = [
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
    ];
    cmd!(
        shell,
        "tar {flags...} --create --gzip --file {archive} --directory {into} {name}"
    )
    .quiet()
    .run()?;
    shell.remove_path(staging)?;
    Ok(())
}

/// Writes the context of the container image of a platform of Linux.
pub fn container(shell: &Shell, platform: Platform, package: &Path, into: &Path) -> Result<()> {
    if platform.os() != "linux" {
        return Ok(());
    }
    let context = shell.create_dir(into.join(format!("container-{}", platform.name())))?;
    shell.copy_file("deploy/Containerfile", &context)?;
    // Becomes the volume, which the server's user owns.
    shell.write_file(context.join("data/.keep"), "")?;
    copy_folder(package, context.join("app"))
}
