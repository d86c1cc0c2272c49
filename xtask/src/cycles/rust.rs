//! The dependencies between the files of a crate.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

use super::dependencies::Dependencies;

/// Returns the dependencies between the files of a crate. `root` is its `lib.rs` or `main.rs`.
///
/// Fails if a file is missing or is not valid Rust.
pub fn dependencies(root: &Path) -> Result<Dependencies> {
    let mut modules = Crate(BTreeMap::new());
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    modules.read_file(Vec::new(), root, &folder)?;
    Ok(modules.dependencies())
}

/// The module path of an item, without the leading `crate`.
type ModulePath = Vec<String>;

/// The modules of a crate, by their paths.
struct Crate(BTreeMap<ModulePath, Module>);

/// A module: a file, or a block in one.
struct Module {
    file: PathBuf,
    items: Vec<Item>,
    /// The names of its items, macros' results excepted.
    defined: HashSet<String>,
    /// The imports of `use` declarations: name and path as written.
    imported: Vec<(String, Vec<String>)>,
    /// The paths whose items are all imported.
    globs: Vec<Vec<String>>,
}

impl Crate {
    /// Reads a file and the modules that it declares, which lie in `folder`.
    fn read_file(&mut self, path: ModulePath, file: &Path, folder: &Path) -> Result<()> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        self.add(path, file, folder, parsed.items)
    }

    fn add(
        &mut self,
        path: ModulePath,
        file: &Path,
        folder: &Path,
        items: Vec<Item>,
    ) -> Result<()> {
        let mut module = Module {
            file: file.to_owned(),
            items: Vec::new(),
            defined: HashSet::new(),
            imported: Vec::new(),
            globs: Vec::new(),
        };
        for item in items {
            if is_test_only(attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(declared) => self.add_submodule(&path, file, folder, declared)?,
                Item::Use(declared) => {
                    module.import(&declared.tree, Vec::new());
                    module.items.push(Item::Use(declared));
                }
                item => {
                    module.defined.extend(name(&item));
                    module.items.push(item);
                }
            }
        }
        self.0.insert(path, module);
        Ok(())
    }

    fn add_submodule(
        &mut self,
        parent: &ModulePath,
        file: &Path,
        folder: &Path,
        declared: ItemMod,
    ) -> Result<()> {
        let name = declared.ident.to_string();
        let mut path = parent.clone();
        path.push(name.clone());
        let inner = folder.join(&name);
        if let Some((_, items)) = declared.content {
            return self.add(path, file, &inner, items);
        }
        let beside = file.parent().unwrap_or(Path::new(""));
        if let Some(given) = path_attribute(&declared.attrs) {
            let file = beside.join(given);
            // The submodules of such a file are beside it, whatever the module's name is.
            return self.read_file(path, &file, file.parent().unwrap_or(beside));
        }
        let candidates = [folder.join(format!("{name}.rs")), inner.join("mod.rs")];
        let found = candidates.iter().find(|file| file.exists());
        let found = found.with_context(|| format!("no file of the module {name}"))?;
        self.read_file(path, found, &inner)
    }

    /// Returns the files that each file of the crate depends on.
    fn dependencies(&self) -> Dependencies {
        let mut dependencies = Dependencies::new();
        for (path, module) in &self.0 {
            let mut named = NamedPaths::default();
            for item in &module.items {
                named.visit_item(item);
            }
            let targets = dependencies.entry(module.file.clone()).or_default();
            for segments in named.0 {
                targets.extend(self.resolve(path, &segments, 0));
            }
        }
        dependencies
    }

    /// The file that defines what a path names. `None` if that is in another crate, or if the path
    /// names a module as a whole.
    fn resolve(&self, from: &ModulePath, segments: &[String], depth: usize) -> Option<PathBuf> {
        let (first, rest) = segments.split_first()?;
        // Aliases may point at each other.
        if depth > 20 {
            return None;
        }
        let mut inner = from.clone();
        match first.as_str() {
            "crate" => return self.resolve_in(&Vec::new(), rest, depth),
            "self" => return self.resolve_in(from, rest, depth),
            "super" => {
                inner.pop()?;
                return match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(&inner, rest, depth + 1),
                    _ => self.resolve_in(&inner, rest, depth),
                };
            }
            _ => inner.push(first.clone()),
        }
        if self.0.contains_key(&inner) {
            return self.resolve_in(&inner, rest, depth);
        }
        let module = self.0.get(from)?;
        if module.defined.contains(first) {
            return None;
        }
        match module.imported.iter().find(|(name, _)| name == first) {
            Some((_, target)) => self.resolve(from, &[target, rest].concat(), depth + 1),
            None => self.resolve_in_globs(from, segments, depth),
        }
    }

    /// As `resolve`, for an item that a glob import of the module may bring into scope.
    fn resolve_in_globs(
        &self,
        from: &ModulePath,
        segments: &[String],
        depth: usize,
    ) -> Option<PathBuf> {
        let globs = self.0.get(from)?.globs.iter();
        let mut found = globs.filter_map(|glob| {
            let target = self.module_of(from, glob)?;
            let is_there = self.0.get(&target)?.has(segments.first()?);
            is_there.then(|| self.resolve_in(&target, segments, depth + 1))?
        });
        found.next()
    }

    /// The module that a glob import names.
    fn module_of(&self, from: &ModulePath, path: &[String]) -> Option<ModulePath> {
        let mut module = from.clone();
        for (index, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => module.clear(),
                "self" => {}
                "super" => {
                    module.pop()?;
                }
                name => {
                    module.push(name.to_owned());
                    let is_known = self.0.contains_key(&module);
                    // An alias of a module is the one thing that is not followed.
                    if !is_known && index == 0 {
                        return None;
                    }
                }
            }
        }
        Some(module)
    }

    /// As `resolve`, for a path below a module.
    fn resolve_in(
        &self,
        module_path: &ModulePath,
        rest: &[String],
        depth: usize,
    ) -> Option<PathBuf> {
        let first = rest.first()?;
        let module = self.0.get(module_path)?;
        let mut inner = module_path.clone();
        inner.push(first.clone());
        // A function may have the name of a module.
        let goes_on = rest.len() > 1 && self.0.contains_key(&inner);
        if module.defined.contains(first) && !goes_on {
            return Some(module.file.clone());
        }
        if self.0.contains_key(&inner) {
            return self.resolve_in(&inner, &rest[1..], depth + 1);
        }
        if let Some((_, target)) = module.imported.iter().find(|(name, _)| name == first) {
            let path = [target, &rest[1..]].concat();
            return self.resolve(module_path, &path, depth + 1);
        }
        let in_globs = self.resolve_in_globs(module_path, rest, depth);
        // A macro may define what is found nowhere.
        in_globs.or_else(|| Some(module.file.clone()))
    }
}

impl Module {
    /// Whether the module defines or re-exports an item of this name.
    fn has(&self, name: &String) -> bool {
        self.defined.contains(name) || self.imported.iter().any(|(known, _)| known == name)
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.import(&inner.tree, path);
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = path.last().cloned() {
                    self.imported.push((last, path));
                }
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.imported.push((name.ident.to_string(), path));
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.imported.push((rename.rename.to_string(), path));
            }
            UseTree::Glob(_) => self.globs.push(path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone());
                }
            }
        }
    }
}

/// All paths that a file names, those in macros' arguments too.
#[derive(Default)]
struct NamedPaths(Vec<Vec<String>>);

impl NamedPaths {
    fn add_use(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.add_use(&inner.tree, path);
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.0.push(path);
            }
            UseTree::Rename(rename) => {
                path.push(rename.ident.to_string());
                self.0.push(path);
            }
            UseTree::Glob(_) => {}
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, path.clone());
                }
            }
        }
    }

    /// Finds `a::b::c` among a macro's tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.0.push(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.0.push(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.0.push(path);
    }
}

impl<'a> Visit<'a> for NamedPaths {
    fn visit_item_use(&mut self, item: &'a ItemUse) {
        // A re-exported item is resolved at its uses.
        if matches!(item.vis, Visibility::Inherited) {
            self.add_use(&item.tree, Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments = path.segments.iter();
        self.0
            .push(segments.map(|part| part.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'a syn::Macro) {
        self.add_tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether an item has the attribute `#[cfg(test)]`, alone or within `all(…)`.
fn is_test_only(attributes: &[Attribute]) -> bool {
    let mut conditions = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.meta.require_list().ok());
    conditions.any(|list| {
        let text = list.tokens.to_string();
        text == "test" || text.starts_with("all") && text.contains("test")
    })
}

/// The value of `#[path = "…"]`.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|it| it.path().is_ident("path"))?;
    let syn::Expr::Lit(value) = &attribute.meta.require_name_value().ok()?.value else {
        return None;
    };
    match &value.lit {
        syn::Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
