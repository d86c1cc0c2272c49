//! The parameters of `POST /image-to-3d-sessions` and what the API allows for each.

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

        impl Choice for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$member)),+];
        }
    };
}

/// Something chosen from a fixed list of words.
trait Choice: Copy + 'static {
    const ALL: &'static [(&'static str, Self)];
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

impl Parameters {
    /// The names of all parameters but [`IMAGE_URL`].
    pub const NAMES: [&'static str; 10] = [
        "creativity",
        "generate_texture",
        "auto_refine",
        "refine_speed",
        "preview_mesh",
        "topology",
        "resolution",
        "texture_resolution",
        "scaled_bbox",
        "pivot_point",
    ];

    /// Reads and checks the parameters. `get` gives the value of a name, `None` where the caller
    /// left it out.
    ///
    /// # Errors
    /// The first parameter that holds something else than the API allows.
    pub fn read<V: Value>(get: impl Fn(&'static str) -> Option<V>) -> Result<Self, Invalid> {
        let read = Reader { get };
        Ok(Self {
            creativity: read.choice("creativity")?,
            generate_texture: read.boolean("generate_texture")?,
            auto_refine: read.boolean("auto_refine")?,
            refine_speed: read.choice("refine_speed")?,
            preview_mesh: read.choice("preview_mesh")?,
            topology: read.choice("topology")?,
            resolution: read.choice("resolution")?,
            texture_resolution: read.texture_resolution()?,
            scaled_bbox: read.triple(
                "scaled_bbox",
                |x| x.is_finite() && x > 0.0,
                "three finite numbers greater than 0: [width, height, depth]",
            )?,
            pivot_point: read.triple(
                "pivot_point",
                |x| (-0.5..=0.5).contains(&x),
                "three numbers from -0.5 to 0.5: [x, y, z]",
            )?,
        })
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

struct Reader<G> {
    get: G,
}

impl<V: Value, G: Fn(&'static str) -> Option<V>> Reader<G> {
    fn choice<C: Choice>(&self, field: &'static str) -> Result<Option<C>, Invalid> {
        self.checked(
            field,
            |value| {
                let text = value.text()?;
                let found = C::ALL.iter().find(|(spelled, _)| *spelled == text);
                found.map(|(_, choice)| *choice)
            },
            || {
                let mut words = String::new();
                for (spelled, _) in C::ALL {
                    if !words.is_empty() {
                        words.push_str(", ");
                    }
                    words.push('"');
                    words.push_str(spelled);
                    words.push('"');
                }
                words
            },
        )
    }

    fn boolean(&self, field: &'static str) -> Result<Option<bool>, Invalid> {
        self.checked(field, V::boolean, || "true, false".into())
    }

    fn texture_resolution(&self) -> Result<Option<u32>, Invalid> {
        self.checked(
            "texture_resolution",
            |value| {
                let number = value.number()?;
                let mut sizes = TEXTURE_RESOLUTIONS.into_iter();
                sizes.find(|size| f64::from(*size) == number)
            },
            || "128, 256, 512, 1024, 2048".into(),
        )
    }

    fn triple(
        &self,
        field: &'static str,
        fits: impl Fn(f64) -> bool,
        allowed: &str,
    ) -> Result<Option<[f64; 3]>, Invalid> {
        self.checked(
            field,
            |value| {
                let items = value.items()?;
                let [x, y, z] = items.as_slice() else {
                    return None;
                };
                let triple = [x.number()?, y.number()?, z.number()?];
                triple.iter().all(|x| fits(*x)).then_some(triple)
            },
            || allowed.into(),
        )
    }

    /// The parameter as `convert` understands it, or what was wrong with it.
    fn checked<T>(
        &self,
        field: &'static str,
        convert: impl Fn(&V) -> Option<T>,
        allowed: impl Fn() -> String,
    ) -> Result<Option<T>, Invalid> {
        let Some(value) = (self.get)(field) else {
            return Ok(None);
        };
        match convert(&value) {
            Some(converted) => Ok(Some(converted)),
            None => Err(Invalid {
                field,
                came: value.shown(),
                allowed: allowed(),
            }),
        }
    }
}
