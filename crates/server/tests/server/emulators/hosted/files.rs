//! The host of the result files, which is not that of the jobs and sends no CORS headers.

use serde_json::json;

use super::engine::Engine;
use super::scenario::Scenario;
use super::secrets::SIGNATURE;
use crate::emulators::http::{Reply, Request};
use crate::emulators::samples::{textured_glb, with_extras};

/// An FBX file, which begins as all binary ones do.
pub const FBX: &[u8] = b"Kaydara FBX Binary  \x00\x1a\x00\x84\x1d\x00\x00";
/// An OBJ file of one quad.
pub const OBJ: &[u8] = b"# obj\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n";
/// A ZIP archive, by its first bytes.
pub const ZIP: &[u8] = b"PK\x03\x04 zipped";

/// Responds to the download with this number, counted from 1.
pub fn respond(request: &Request, engine: Engine, scenario: Scenario, number: usize) -> Reply {
    // [A] The files are public: neither the engine's key nor the caller's headers belong here.
    request.assert_without(&["authorization", "x-api-key", "origin", "referer", "cookie"]);
    if matches!(engine, Engine::Meshy | Engine::Tripo) {
        assert_eq!(request.query, SIGNATURE);
    }
    let redirect = |to: &str| Reply::text(302, "").with_header("location", to);
    match scenario {
        Scenario::FileUrlExpiresOnce if number == 1 => expired(engine),
        Scenario::FileUrlExpired => expired(engine),
        Scenario::FileFails(times) if number <= times => Reply::text(503, "down"),
        Scenario::FileFailsThenExpires if number == 1 => Reply::text(503, "down"),
        Scenario::FileFailsThenExpires if number == 2 => expired(engine),
        Scenario::WrongFile(bytes) => Reply::bytes(bytes.to_vec()),
        Scenario::FileEndless => Reply::Endless,
        Scenario::FileRedirectsToPrivateAddress => {
            redirect("http://169.254.169.254/latest/meta-data/")
        }
        Scenario::FileRedirectsForever => redirect(&format!("{}?{}", request.path, request.query)),
        Scenario::FileRedirectsOnce if !request.path.starts_with("/moved/") => {
            redirect(&format!("/moved{}?{}", request.path, request.query))
        }
        Scenario::OtherFormatsAreWebPages if !request.path.ends_with(".glb") => {
            Reply::text(200, "<!doctype html><title>Not found</title>")
        }
        _ if request.path.ends_with(".obj") => Reply::bytes(OBJ.to_vec()),
        _ if request.path.ends_with(".fbx") => Reply::bytes(FBX.to_vec()),
        _ if [".usdz", ".zip"]
            .iter()
            .any(|end| request.path.ends_with(end)) =>
        {
            Reply::bytes(ZIP.to_vec())
        }
        // [A] SaveGLB writes the workflow into the file.
        _ if engine == Engine::ComfyUi => {
            Reply::bytes(with_extras(&textured_glb(), json!({"prompt": SIGNATURE})))
        }
        _ => Reply::bytes(textured_glb()),
    }
}

/// [A] Meshy's and Tripo's URLs are signed for a limited time; fal deletes its files after one.
fn expired(engine: Engine) -> Reply {
    match engine {
        Engine::Fal | Engine::ComfyUi => Reply::text(404, "not found"),
        Engine::Meshy | Engine::Tripo => Reply::text(403, "<Error>AccessDenied</Error>"),
    }
}
