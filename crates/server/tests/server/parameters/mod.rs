//! The effect of each API parameter with each remote engine: the engine applies it, the server
//! applies it to the engine's file, or the session lists it in `unsupported`. The table in
//! `docs/parameters.md` is checked cell by cell.

mod engines;
mod measure;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::emulators::samples::textured_glb;
use crate::support::repository_file;
use engines::{Session, TestServer};
use measure::Measurements;

/// The engines, in the order of the table's columns.
const ENGINES: [&str; 6] = [
    "Hunyuan3D-2.0",
    "Hunyuan3D-2.1",
    "fal",
    "Meshy",
    "Tripo",
    "ComfyUI",
];

/// A value of a parameter, and how its effect shows in the file.
struct Row {
    name: &'static str,
    value: Value,
    /// Parameters without which this one has no effect.
    requires: Value,
    has_effect: fn(&Measurements) -> bool,
}

fn rows() -> Vec<Row> {
    let row = |name, value, has_effect| Row {
        name,
        value,
        requires: json!({}),
        has_effect,
    };
    // No file shows an effect, so that the parameter must be listed in `unsupported`.
    let never = |_: &Measurements| false;
    vec![
        row("creativity", json!("highest"), never),
        row("generate_texture", json!(true), |file| {
            file.texture_size > 0
        }),
        row("auto_refine", json!(true), never),
        row("refine_speed", json!("fast"), never),
        row("preview_mesh", json!("turbo"), never),
        row("topology", json!("quads"), |file| file.has_quads),
        row("resolution", json!("low_poly"), |file| {
            (1_000..=10_000).contains(&file.faces)
        }),
        Row {
            requires: json!({"generate_texture": true}),
            ..row("texture_resolution", json!(128), |file| {
                file.texture_size == 128
            })
        },
        row("scaled_bbox", json!([1, 2, 3]), |file| {
            is_near(file.extent(), [1.0, 2.0, 3.0])
        }),
        row("pivot_point", json!([0, -0.5, 0.5]), |file| {
            let middle = (file.min[0] + file.max[0]) / 2.0;
            is_near([middle, file.min[1], file.max[2]], [0.0; 3])
        }),
    ]
}

fn is_near(a: [f32; 3], b: [f32; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3)
}

/// Checks a session without parameters.
fn assert_plain_model(engine: &str) {
    let session = TestServer::start(engine).run(&json!({}));
    assert!(session.unsupported.is_empty(), "{:?}", session.unsupported);
    assert_eq!(session.measurements.texture_size, 0);
}

/// Checks that a parameter has its effect or is listed as unsupported, as the table says.
fn assert_documented_effect(engine: &str, name: &str) {
    let rows = rows();
    let row = rows.iter().find(|row| row.name == name).unwrap();
    let server = TestServer::start(engine);
    let before = server.run(&row.requires);
    let mut parameters = row.requires.clone();
    parameters[row.name] = row.value.clone();
    let after = server.run(&parameters);

    assert!(
        !(row.has_effect)(&before.measurements),
        "the effect shows without the parameter"
    );
    let has_effect = (row.has_effect)(&after.measurements);
    let is_unsupported = after.unsupported.contains(row.name);
    assert_ne!(has_effect, is_unsupported, "{:?}", after.unsupported);
    assert_eq!(
        after.unsupported.len(),
        usize::from(is_unsupported),
        "{:?}",
        after.unsupported
    );
    assert_eq!(
        table_cell(row, &before, &after),
        documented_cell(row, engine)
    );
}

/// Returns the cell of the table for a parameter, from sessions without and with it.
fn table_cell(row: &Row, before: &Session, after: &Session) -> String {
    // The engines return the same model whatever they receive. An effect that it shows already
    // cannot be the server's.
    let engine_model = Measurements {
        // The server makes none of an engine's model.
        has_quads: true,
        ..Measurements::of_glb(&textured_glb())
    };
    let mut cell = match after.unsupported.contains(row.name) {
        true => "unsupported".to_owned(),
        false if (row.has_effect)(&engine_model) => "engine".to_owned(),
        false => "server".to_owned(),
    };
    let fields = after.engine_request.iter();
    let new_fields = fields.filter(|(name, value)| before.engine_request.get(*name) != Some(value));
    for (index, (name, value)) in new_fields.enumerate() {
        let separator = if index == 0 { "; sends" } else { "," };
        write!(cell, "{separator} `{name}: {value}`").unwrap();
    }
    cell
}

fn row_label(row: &Row) -> String {
    format!("`{}: {}`", row.name, row.value)
}

/// Returns the lines of the table, each as its cells.
fn documented_table() -> Vec<Vec<String>> {
    let docs = repository_file("docs/parameters.md");
    let lines = docs.lines();
    let lines = lines.skip_while(|line| !line.starts_with("| parameter |"));
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let line = line.trim_start_matches("| ").trim_end_matches(" |");
            line.split(" | ").map(str::to_owned).collect()
        })
        .collect()
}

fn documented_cell(row: &Row, engine: &str) -> String {
    let label = row_label(row);
    let table = documented_table();
    let line = table.iter().find(|cells| cells[0] == label);
    let line = line.unwrap_or_else(|| panic!("docs/parameters.md has no row {label}"));
    let column = ENGINES.iter().position(|name| *name == engine).unwrap();
    line[1 + column].clone()
}

#[test]
fn table_has_every_parameter_and_engine() {
    let table = documented_table();
    assert_eq!(table[0][0], "parameter");
    assert_eq!(table[0][1..], ENGINES);
    let labels: Vec<_> = table[2..].iter().map(|cells| cells[0].clone()).collect();
    assert_eq!(labels, rows().iter().map(row_label).collect::<Vec<_>>());
    let names: Vec<_> = rows().iter().map(|row| row.name).collect();
    assert_eq!(names, api::Parameters::NAMES);
}

/// Defines a module for each engine, with a test for each parameter.
macro_rules! parameter_tests {
    ($($module:ident: $engine:literal,)*) => {
        $(
            mod $module {
                #[test]
                fn no_parameters() {
                    super::assert_plain_model($engine);
                }

                tests_of_engine! {
                    $engine: creativity, generate_texture, auto_refine, refine_speed, preview_mesh,
                    topology, resolution, texture_resolution, scaled_bbox, pivot_point,
                }
            }
        )*

        #[test]
        fn every_parameter_has_a_test() {
            $(assert_eq!($module::TESTED, api::Parameters::NAMES);)*
        }
    };
}

macro_rules! tests_of_engine {
    ($engine:literal: $($name:ident,)*) => {
        pub const TESTED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                super::assert_documented_effect($engine, stringify!($name));
            }
        )*
    };
}

parameter_tests! {
    hunyuan_v20: "Hunyuan3D-2.0",
    hunyuan_v21: "Hunyuan3D-2.1",
    fal: "fal",
    meshy: "Meshy",
    tripo: "Tripo",
    comfyui: "ComfyUI",
}
