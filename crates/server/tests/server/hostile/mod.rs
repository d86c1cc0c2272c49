//! Everything that an attacker of the server tried, one named case each.

/// Defines a test for each line `name: arguments;`, which calls the function with them.
macro_rules! cases {
    ($function:ident: $($name:ident: $($argument:expr),+;)*) => {
        $(
            #[test]
            fn $name() {
                $function($($argument),+);
            }
        )*
    };
}

mod files;
mod http;
mod images;
mod json;
mod pages;
mod process;
mod ssrf;
mod store;
