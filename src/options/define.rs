//! Definition of the options of a call in one place.

/// Defines an enum of option names and the TypeScript interface with these options, all of which are
/// optional.
///
/// Each line gives the variant, the name in JavaScript, the TypeScript type and the documentation.
/// The interface extends those after `extends`.
macro_rules! define_options {
    (
        $(#[$interface_attribute:meta])*
        enum $Names:ident, interface $Interface:ident $(extends $($Base:ident),+)? {
            $(
                $(#[$attribute:meta])*
                $Name:ident = $name:literal: $type:literal,
            )+
        }
    ) => {
        #[derive(Clone, Copy, strum::IntoStaticStr, strum::VariantNames)]
        pub enum $Names {
            $(#[strum(serialize = $name)] $Name,)+
        }

        $(#[$interface_attribute])*
        #[derive(tsify::Tsify)]
        #[allow(dead_code, non_snake_case)]
        pub struct $Interface {
            $($(#[serde(flatten)] $Base: $Base,)+)?
            $(
                $(#[$attribute])*
                #[serde(rename = $name)]
                #[tsify(type = $type, optional)]
                $Name: wasm_bindgen::JsValue,
            )+
        }
    };
}
pub(super) use define_options;
