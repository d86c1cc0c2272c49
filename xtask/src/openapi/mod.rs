//! The description of the API: `openapi.json`, and the page that shows it. The server contains both, and the
//! copies in the repository show every change of the API in a diff.

mod components;
mod page;
mod paths;
mod schemas;

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xshell::Shell;

/// The file with the document.
const DOCUMENT: &str = "crates/server/docs/openapi.json";

/// The page that shows the document.
const PAGE: &str = "crates/server/docs/index.html";

/// The style of the page.
const STYLE: &str = "crates/server/docs/style.css";

const DESCRIPTION: &str = include_str!("description.md");

/// Fails if a file differs from what the sources describe.
pub fn check(shell: &Shell) -> Result<()> {
    for (path, content) in files()? {
        ensure!(
            shell.read_file(path).ok().as_ref() == Some(&content),
            "{path} is not up to date. Run `cargo xtask openapi` to write it anew."
        );
    }
    Ok(())
}

/// Writes the files.
pub fn write(shell: &Shell) -> Result<()> {
    for (path, content) in files()? {
        shell.write_file(path, content)?;
    }
    Ok(())
}

/// Copies the document to the npm package.
pub fn copy_to_package(shell: &Shell) -> Result<()> {
    shell.copy_file(DOCUMENT, "pkg")?;
    Ok(())
}

/// Copies the document and its page to the site, at the addresses that they have on the server.
pub fn copy_to_site(shell: &Shell, site: &Path) -> Result<()> {
    shell.copy_file(DOCUMENT, site)?;
    let folder = shell.create_dir(site.join("docs/api"))?;
    for file in [PAGE, STYLE] {
        shell.copy_file(file, &folder)?;
    }
    Ok(())
}

fn files() -> Result<[(&'static str, String); 2]> {
    let document = document();
    let text = serde_json::to_string_pretty(&document)? + "\n";
    Ok([(DOCUMENT, text), (PAGE, page::render(&document)?)])
}

/// Returns the OpenAPI document.
fn document() -> Value {
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Image-to-3D API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Turns an image into a 3D model.",
            "description": DESCRIPTION,
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        // Relative to the address of this document, which may be under a path.
        "servers": [{"url": "."}],
        "security": [{}, {"apiKey": []}],
        "tags": paths::tags(),
        "paths": paths::paths(),
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "The key of a client. A server without client keys needs none.",
                },
            },
            "parameters": components::parameters(),
            "headers": components::headers(),
            "responses": components::error_responses(),
            "schemas": schemas::components(),
        },
    })
}
