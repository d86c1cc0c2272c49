//! The parameters of `POST /image-to-3d-sessions` and what the API allows for each.

use alloc::string::String;

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use tsify::Tsify;

use crate::value::{Invalid, Value};

/// The one required parameter: a URL of the picture, or the picture itself as a `data:` URI.
pub const IMAGE_URL: &str = "image_url";

/// The edges, in pixels, that a texture may have.
pub const TEXTURE_RESOLUTIONS: [u32; 5] = [128, 256, 512, 1024, 2048];

/// An enumeration whose members the API spells as given here.
macro_rules! choices {
    (
        $(#[$doc:meta])*
        $name:ident { $($member:ident = $text:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(Tsify))]
        #[allow(missing_docs)]
        pub enum $name { $(#[serde(rename = $text)] $member),+ }

        impl $name {
            const NAMES: &'static [&'static str] = &[$($text),+];

            fn of(value: &impl Value) -> Option<Self> {
                match &*value.text()? {
                    $($text => Some(Self::$member),)+
                    _ => None,
                }
            }
        }
    };
}

choices! {
    /// How far the model may depart from the picture.
    Creativity { Highest = "highest", Moderate = "moderate", Lowest = "lowest" }
}
choices! {
    /// How long the refinement may take.
    RefineSpeed { Fast = "fast", Slow = "slow" }
}
choices! {
    /// The model that makes the preview.
    PreviewMesh { FastSculpt = "fast_sculpt", Turbo = "turbo" }
}
choices! {
    /// What the mesh is made of.
    Topology { Tris = "tris", Quads = "quads" }
}
choices! {
    /// How many faces the mesh has.
    Resolution { LowPoly = "low_poly", HighPoly = "high_poly" }
}

/// What the API lets a caller choose about the model, by the API's own names.
///
/// What is left out is left out of the request: the defaults named here are the API's, applied by
/// the server. The rules are those of the API's documentation of `POST /image-to-3d-sessions`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
pub struct Parameters {
    /// How far the model may depart from the picture. Default: `"lowest"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creativity: Option<Creativity>,

    /// Whether the model gets a texture. Default: `false`.
    ///
    /// Has no effect with `preview_mesh: "turbo"`; a warning on the console says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate_texture: Option<bool>,

    /// Whether the refinement follows the preview by itself. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_refine: Option<bool>,

    /// How long the refinement may take. Default: `"slow"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refine_speed: Option<RefineSpeed>,

    /// The model that makes the preview. Default: `"fast_sculpt"`.
    ///
    /// With `"turbo"` the session stops at up to four views (spins) to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_mesh: Option<PreviewMesh>,

    /// Triangles or quads. Default: `"tris"`. For enterprise users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,

    /// How many faces the mesh has. Default: `"high_poly"`. For enterprise users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,

    /// The texture's edge in pixels. Default: `2048`. For enterprise users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "typescript",
        tsify(type = "128 | 256 | 512 | 1024 | 2048", optional)
    )]
    pub texture_resolution: Option<u32>,

    /// The model's `[width, height, depth]`: three finite numbers greater than 0.
    /// For enterprise users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "typescript",
        tsify(
            type = "readonly [width: number, height: number, depth: number]",
            optional
        )
    )]
    pub scaled_bbox: Option<[f64; 3]>,

    /// Where the origin lies in the model's bounding box: `[x, y, z]`, each from -0.5 to 0.5.
    /// Default: `[0, 0, 0]`, the centre; `[0, -0.5, 0]` is the centre of the bottom,
    /// `[-0.5, -0.5, -0.5]` the left bottom back corner. For enterprise users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "typescript",
        tsify(type = "readonly [x: number, y: number, z: number]", optional)
    )]
    pub pivot_point: Option<[f64; 3]>,
}

/// What the API allows for a parameter.
enum Rule {
    OneOf(&'static [&'static str]),
    Boolean,
    Resolution,
    /// Three numbers that fit, and what fits in words.
    Triple(fn(f64) -> bool, &'static str),
}

const RULES: [(&str, Rule); 10] = [
    ("creativity", Rule::OneOf(Creativity::NAMES)),
    ("generate_texture", Rule::Boolean),
    ("auto_refine", Rule::Boolean),
    ("refine_speed", Rule::OneOf(RefineSpeed::NAMES)),
    ("preview_mesh", Rule::OneOf(PreviewMesh::NAMES)),
    ("topology", Rule::OneOf(Topology::NAMES)),
    ("resolution", Rule::OneOf(Resolution::NAMES)),
    ("texture_resolution", Rule::Resolution),
    (
        "scaled_bbox",
        Rule::Triple(
            |x| x.is_finite() && x > 0.0,
            "three finite numbers greater than 0: [width, height, depth]",
        ),
    ),
    (
        "pivot_point",
        Rule::Triple(
            |x| (-0.5..=0.5).contains(&x),
            "three numbers from -0.5 to 0.5: [x, y, z]",
        ),
    ),
];

impl Parameters {
    /// The names of all parameters but [`IMAGE_URL`].
    pub const NAMES: [&'static str; RULES.len()] = {
        let mut names = [""; RULES.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = RULES[at].0;
            at += 1;
        }
        names
    };

    /// Checks the parameters. `get` gives the value of a name, `None` where the caller left it out.
    ///
    /// # Errors
    /// The first parameter that holds something else than the API allows.
    pub fn check<V: Value>(get: &dyn Fn(&'static str) -> Option<V>) -> Result<(), Invalid> {
        for (field, rule) in &RULES {
            if let Some(value) = get(field)
                && !rule.fits(&value)
            {
                return Err(Invalid {
                    field,
                    came: value.shown(),
                    allowed: rule.allowed(),
                });
            }
        }
        Ok(())
    }

    /// Reads and checks the parameters. `get` gives the value of a name, `None` where the caller
    /// left it out.
    ///
    /// # Errors
    /// The first parameter that holds something else than the API allows.
    pub fn read<V: Value>(get: impl Fn(&'static str) -> Option<V>) -> Result<Self, Invalid> {
        Self::check(&get)?;
        Ok(Self {
            creativity: get("creativity").and_then(|value| Creativity::of(&value)),
            generate_texture: get("generate_texture").and_then(|value| value.boolean()),
            auto_refine: get("auto_refine").and_then(|value| value.boolean()),
            refine_speed: get("refine_speed").and_then(|value| RefineSpeed::of(&value)),
            preview_mesh: get("preview_mesh").and_then(|value| PreviewMesh::of(&value)),
            topology: get("topology").and_then(|value| Topology::of(&value)),
            resolution: get("resolution").and_then(|value| Resolution::of(&value)),
            texture_resolution: get("texture_resolution")
                .and_then(|value| value.number())
                .map(|number| number as u32),
            scaled_bbox: get("scaled_bbox").and_then(|value| triple(&value)),
            pivot_point: get("pivot_point").and_then(|value| triple(&value)),
        })
    }
}

impl Rule {
    fn fits(&self, value: &impl Value) -> bool {
        match self {
            Self::OneOf(names) => value.text().is_some_and(|text| names.contains(&&*text)),
            Self::Boolean => value.boolean().is_some(),
            Self::Resolution => value.number().is_some_and(|number| {
                let mut edges = TEXTURE_RESOLUTIONS.into_iter();
                edges.any(|edge| f64::from(edge) == number)
            }),
            Self::Triple(fits, _) => {
                triple(value).is_some_and(|triple| triple.into_iter().all(fits))
            }
        }
    }

    /// What fits, in words.
    fn allowed(&self) -> String {
        match self {
            Self::OneOf(names) => {
                let mut words = String::new();
                for name in *names {
                    if !words.is_empty() {
                        words.push_str(", ");
                    }
                    words.push('"');
                    words.push_str(name);
                    words.push('"');
                }
                words
            }
            Self::Boolean => "true, false".into(),
            Self::Resolution => "128, 256, 512, 1024, 2048".into(),
            Self::Triple(_, allowed) => (*allowed).into(),
        }
    }
}

fn triple(value: &impl Value) -> Option<[f64; 3]> {
    match value.items()?.as_slice() {
        [x, y, z] => Some([x.number()?, y.number()?, z.number()?]),
        _ => None,
    }
}

impl Parameters {
    /// The parameters with the API's documented default in place of each that was left out.
    /// `scaled_bbox` has none: the model keeps the proportions that it has.
    pub fn or_defaults(&self) -> Self {
        Self {
            creativity: self.creativity.or(Some(Creativity::Lowest)),
            generate_texture: self.generate_texture.or(Some(false)),
            auto_refine: self.auto_refine.or(Some(false)),
            refine_speed: self.refine_speed.or(Some(RefineSpeed::Slow)),
            preview_mesh: self.preview_mesh.or(Some(PreviewMesh::FastSculpt)),
            topology: self.topology.or(Some(Topology::Tris)),
            resolution: self.resolution.or(Some(Resolution::HighPoly)),
            texture_resolution: self.texture_resolution.or(Some(2048)),
            scaled_bbox: self.scaled_bbox,
            pivot_point: self.pivot_point.or(Some([0.0; 3])),
        }
    }
}
