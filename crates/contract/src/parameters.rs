//! The parameters of `POST /image-to-3d-sessions` and their accepted values.

use std::str::FromStr;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantNames};
#[cfg(feature = "typescript")]
use tsify::Tsify;

use crate::message::{Invalid, one_of, one_of_quoted};
use crate::value::Value;

/// The name of the required parameter: the URL of the image, or the image as a `data:` URI.
pub const IMAGE_URL: &str = "image_url";

/// The accepted edge lengths of a texture in pixels.
pub const TEXTURE_RESOLUTIONS: [u32; 5] = [128, 256, 512, 1024, 2048];

/// The edge of a bounding box that keeps its proportion to the others.
pub const AUTOMATIC_EDGE: f64 = -1.0;

/// How far the model may deviate from the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum Creativity {
    Highest,
    Moderate,
    Lowest,
}

/// How much time the refinement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum RefineSpeed {
    Fast,
    Slow,
}

/// The model that generates the preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum PreviewMesh {
    FastSculpt,
    Turbo,
}

/// The polygons of the mesh: triangles or quads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum Topology {
    Tris,
    Quads,
}

/// The number of faces of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[cfg_attr(feature = "typescript", derive(Tsify))]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum Resolution {
    LowPoly,
    HighPoly,
}

/// Defines [`Parameters`], the list of their names and how they are read, from one line for each:
/// the name, the type, the type in TypeScript and the rule.
///
/// The TypeScript types include `undefined`, which `exactOptionalPropertyTypes` does not allow
/// otherwise.
macro_rules! parameters {
    (
        $(#[$struct_attribute:meta])*
        pub struct Parameters {
            $(
                $(#[$attribute:meta])*
                $name:ident: $type:tt as $typescript:literal = $rule:expr,
            )+
        }
    ) => {
        $(#[$struct_attribute])*
        pub struct Parameters {
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[cfg_attr(feature = "typescript", tsify(type = $typescript, optional))]
                pub $name: Option<$type>,
            )+
        }

        impl Parameters {
            /// The names of all parameters except [`IMAGE_URL`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// Reads and validates the parameters. `get` returns the value of a parameter, or
            /// `None` if the caller omitted it.
            ///
            /// # Errors
            /// Fails if a parameter holds a value that the API does not accept; the error names the
            /// first one.
            pub fn read<V: Value>(
                get: impl Fn(&'static str) -> Option<V>,
            ) -> Result<Self, Box<Invalid>> {
                Ok(Self {
                    $($name: $rule.read(stringify!($name), get(stringify!($name)))?,)+
                })
            }
        }
    };
}

parameters! {
    /// The parameters of the model, named as in the API.
    ///
    /// Omitted parameters are not sent; the server applies the defaults given here. The accepted
    /// values are those of the API's documentation of `POST /image-to-3d-sessions`.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    // `Parameters` is a type of TypeScript itself.
    #[cfg_attr(feature = "typescript", derive(Tsify), tsify(rename = "ModelParameters"))]
    #[cfg_attr(feature = "schema", derive(JsonSchema))]
    pub struct Parameters {
        /// How far the model may deviate from the image. Default: `"lowest"`.
        creativity: Creativity as "Creativity | undefined" = choice(),

        /// Whether to generate a texture. Default: `false`.
        ///
        /// Has no effect with `preview_mesh: "turbo"`; the library logs a warning then.
        generate_texture: bool as "boolean | undefined" = boolean(),

        /// Whether the refinement starts automatically after the preview. Default: `false`.
        auto_refine: bool as "boolean | undefined" = boolean(),

        /// How much time the refinement may take. Default: `"slow"`.
        refine_speed: RefineSpeed as "RefineSpeed | undefined" = choice(),

        /// The model that generates the preview. Default: `"fast_sculpt"`.
        ///
        /// With `"turbo"` the session pauses at up to four views (spins), one of which the caller
        /// selects.
        preview_mesh: PreviewMesh as "PreviewMesh | undefined" = choice(),

        /// Triangles or quads. Default: `"tris"`. For enterprise users only.
        topology: Topology as "Topology | undefined" = choice(),

        /// The number of faces. Default: `"high_poly"`. For enterprise users only.
        resolution: Resolution as "Resolution | undefined" = choice(),

        /// The edge length of the texture in pixels. Default: `2048`. For enterprise users only.
        #[cfg_attr(feature = "schema", schemars(extend("enum" = TEXTURE_RESOLUTIONS)))]
        texture_resolution: u32 as "128 | 256 | 512 | 1024 | 2048 | undefined" = texture_resolution(),

        /// The size of the model's bounding box as `[width, height, depth]`: three finite numbers
        /// greater than 0, or -1 for an automatic edge, which keeps its proportion to the others.
        /// Default: the generated proportions. For enterprise users only.
        scaled_bbox: [f64; 3]
            as "readonly [width: number, height: number, depth: number] | undefined" =
            scaled_bbox(),

        /// The position of the origin in the model's bounding box as `[x, y, z]`, each from -0.5 to
        /// 0.5. Default: `[0, 0, 0]`, the center. `[0, -0.5, 0]` is the center of the bottom,
        /// `[-0.5, -0.5, -0.5]` the left bottom back corner. For enterprise users only.
        #[cfg_attr(feature = "schema", schemars(inner(range(min = -0.5, max = 0.5))))]
        pivot_point: [f64; 3] as "readonly [x: number, y: number, z: number] | undefined" =
            pivot_point(),
    }
}

impl Parameters {
    /// Returns the parameters with the API's documented defaults in place of omitted ones.
    /// `scaled_bbox` has no default: the model keeps its proportions.
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

    /// Returns whether the caller leaves all edges of the bounding box to the server.
    pub fn has_automatic_size(&self) -> bool {
        let mut edges = self.scaled_bbox.iter().flatten();
        edges.all(|edge| *edge == AUTOMATIC_EDGE)
    }

    /// Returns whether the caller orders the model's size or origin.
    pub fn is_placed(&self) -> bool {
        let has_pivot = self.pivot_point.is_some_and(|pivot| pivot != [0.0; 3]);
        has_pivot || !self.has_automatic_size()
    }
}

/// The accepted values of a parameter of type `T`.
struct Rule<V, T> {
    /// Returns `None` for a value that is not accepted.
    parse: fn(&V) -> Option<T>,
    /// Describes the accepted values.
    expected: fn() -> String,
}

impl<V: Value, T> Rule<V, T> {
    fn read(&self, name: &str, value: Option<V>) -> Result<Option<T>, Box<Invalid>> {
        let Some(value) = value else {
            return Ok(None);
        };
        match (self.parse)(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(Invalid::new(name, value.describe(), (self.expected)()).into()),
        }
    }
}

fn choice<V: Value, T: FromStr + VariantNames>() -> Rule<V, T> {
    Rule {
        parse: |value| value.text()?.parse().ok(),
        expected: || one_of_quoted(T::VARIANTS.iter().copied()),
    }
}

fn boolean<V: Value>() -> Rule<V, bool> {
    Rule {
        parse: V::boolean,
        expected: || one_of([true, false]),
    }
}

fn texture_resolution<V: Value>() -> Rule<V, u32> {
    Rule {
        parse: |value| {
            let number = value.number()?;
            let mut edges = TEXTURE_RESOLUTIONS.into_iter();
            edges.find(|edge| f64::from(*edge) == number)
        },
        expected: || one_of(TEXTURE_RESOLUTIONS),
    }
}

fn scaled_bbox<V: Value>() -> Rule<V, [f64; 3]> {
    Rule {
        parse: |value| {
            triple(value, |size| {
                (size.is_finite() && size > 0.0) || size == AUTOMATIC_EDGE
            })
        },
        expected: || {
            "[width, height, depth], three finite numbers greater than 0, or -1 for automatic"
                .into()
        },
    }
}

fn pivot_point<V: Value>() -> Rule<V, [f64; 3]> {
    Rule {
        parse: |value| triple(value, |coordinate| (-0.5..=0.5).contains(&coordinate)),
        expected: || "[x, y, z], three numbers from -0.5 to 0.5".into(),
    }
}

fn triple(value: &impl Value, is_accepted: fn(f64) -> bool) -> Option<[f64; 3]> {
    let items = value.items()?;
    let [x, y, z] = items.as_slice() else {
        return None;
    };
    let triple = [x.number()?, y.number()?, z.number()?];
    triple.into_iter().all(is_accepted).then_some(triple)
}
