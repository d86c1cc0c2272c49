//! The page that shows the OpenAPI document: HTML without scripts.

use anyhow::{Context, Result};
use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use pulldown_cmark::{Event, Parser, Tag, TagEnd, html};
use serde::Serialize;
use serde_json::{Map, Value};

/// What the page shows. Descriptions and kinds are HTML.
#[derive(Serialize)]
struct Page {
    title: String,
    version: String,
    description: String,
    groups: Vec<Group>,
    types: Vec<Type>,
}

/// A group of operations.
#[derive(Serialize)]
struct Group {
    name: String,
    description: String,
    is_extension: bool,
    operations: Vec<Operation>,
}

#[derive(Serialize)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    is_extension: bool,
    needs_key: bool,
    parameters: Vec<Field>,
    body: Option<Content>,
    successes: Vec<Response>,
    errors: Vec<Response>,
}

/// A parameter, or a field of an object.
#[derive(Serialize)]
struct Field {
    name: String,
    /// Where a parameter is sent: `path`, `query` or `header`.
    place: Option<String>,
    kind: String,
    is_required: bool,
    is_extension: bool,
    description: String,
}

#[derive(Serialize)]
struct Content {
    kind: String,
    is_required: bool,
}

#[derive(Serialize)]
struct Response {
    status: String,
    description: String,
    kind: String,
    headers: Vec<String>,
}

#[derive(Serialize)]
struct Type {
    name: String,
    description: String,
    fields: Vec<Field>,
    values: Vec<String>,
}

/// Renders the document.
pub fn render(document: &Value) -> Result<String> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(syntax.trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("page.html", include_str!("page.jinja"))?;
    let page = Page {
        title: text(&document["info"], "title"),
        version: text(&document["info"], "version"),
        description: markdown(&document["info"]),
        groups: groups(document)?,
        types: types(document)?,
    };
    let template = environment.get_template("page.html")?;
    Ok(template.render(Serde(page))? + "\n")
}

fn groups(document: &Value) -> Result<Vec<Group>> {
    let mut operations = Vec::new();
    for (path, item) in object(&document["paths"])? {
        for method in ["post", "get", "head", "delete"] {
            if let Some(operation) = item.get(method) {
                let tag = operation["tags"][0].as_str().context("no tag")?;
                let operation = read_operation(document, path, item, method, operation)?;
                operations.push((tag, operation));
            }
        }
    }
    // The paths of the document are in alphabetical order.
    operations.sort_by_key(|(_, operation)| operation.path.split('/').count());
    let tags = document["tags"].as_array().context("no tags")?.iter();
    let groups = tags.map(|tag| {
        let name = text(tag, "name");
        let of_group = operations.extract_if(.., |(tag, _)| *tag == name);
        Group {
            operations: of_group.map(|(_, operation)| operation).collect(),
            description: markdown(tag),
            is_extension: is_extension(tag),
            name,
        }
    });
    Ok(groups.collect())
}

fn read_operation(
    document: &Value,
    path: &str,
    item: &Value,
    method: &str,
    operation: &Value,
) -> Result<Operation> {
    let parameters = [&item["parameters"], &operation["parameters"]];
    let parameters = parameters.into_iter().filter_map(Value::as_array).flatten();
    let parameters = parameters.map(|parameter| {
        let parameter = resolve(document, parameter)?;
        let place = Some(text(parameter, "in"));
        let is_required = parameter["required"] == true;
        let name = text(parameter, "name");
        Ok(field(
            name,
            place,
            is_required,
            &parameter["schema"],
            parameter,
        ))
    });
    let body = operation.get("requestBody").map(|body| Content {
        kind: content_kind(body),
        is_required: body["required"] == true,
    });
    let (mut successes, mut errors) = (Vec::new(), Vec::new());
    for (status, response) in object(&operation["responses"])? {
        let response = resolve(document, response)?;
        let headers = response.get("headers").and_then(Value::as_object);
        let list = match status.as_str() < "400" {
            true => &mut successes,
            false => &mut errors,
        };
        list.push(Response {
            status: status.clone(),
            description: markdown(response),
            kind: content_kind(response),
            headers: headers.into_iter().flat_map(Map::keys).cloned().collect(),
        });
    }
    Ok(Operation {
        id: text(operation, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        description: markdown(operation),
        is_extension: is_extension(operation),
        needs_key: operation.get("security").is_none(),
        parameters: parameters.collect::<Result<_>>()?,
        body,
        successes,
        errors,
    })
}

fn types(document: &Value) -> Result<Vec<Type>> {
    let schemas = object(&document["components"]["schemas"])?.iter();
    let types = schemas.map(|(name, schema)| {
        let required = schema["required"].as_array();
        let required: Vec<_> = required.into_iter().flatten().collect();
        let properties = schema["properties"].as_object();
        let mut fields: Vec<_> = properties
            .into_iter()
            .flatten()
            .map(|(name, property)| {
                let is_required = required.iter().any(|one| *one == name);
                // An enumeration describes a field that has no description of its own.
                let described = match property.get("description") {
                    Some(_) => property,
                    None => resolve(document, property)?,
                };
                let mut field = field(name.clone(), None, is_required, property, described);
                field.is_extension = is_extension(property);
                Ok(field)
            })
            .collect::<Result<_>>()?;
        fields.sort_by_key(|field| !field.is_required);
        let values = schema["enum"].as_array().into_iter().flatten();
        Ok(Type {
            name: name.clone(),
            description: markdown(schema),
            fields,
            values: values.map(Value::to_string).collect(),
        })
    });
    types.collect()
}

fn field(
    name: String,
    place: Option<String>,
    is_required: bool,
    schema: &Value,
    described: &Value,
) -> Field {
    Field {
        name,
        place,
        kind: kind(schema),
        is_required,
        is_extension: is_extension(described),
        description: markdown(described),
    }
}

/// Describes a schema in one line of HTML.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("<code>{value}</code>"));
        return values.collect::<Vec<_>>().join(" or ");
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let kinds = alternatives.iter().map(kind);
        return kinds.collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str() {
        Some("array") => format!("array of {}", kind(&schema["items"])),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

/// Describes the body of a request or a response in one line of HTML.
fn content_kind(holder: &Value) -> String {
    let Some(content) = holder["content"].as_object() else {
        return String::new();
    };
    let kinds = content.iter().map(|(media_type, content)| {
        match (media_type.as_str(), content.get("schema")) {
            ("application/json", Some(schema)) => kind(schema),
            _ => format!("<code>{media_type}</code>"),
        }
    });
    kinds.collect::<Vec<_>>().join(", ")
}

fn is_extension(value: &Value) -> bool {
    value["x-extension"] == true
}

/// Follows a reference.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value> {
    match value["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix('#'))
    {
        Some(pointer) => document.pointer(pointer).context("a broken reference"),
        None => Ok(value),
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().context("expected an object")
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Renders the description of a part of the document. One paragraph alone has no element.
fn markdown(described: &Value) -> String {
    let description = described["description"].as_str().unwrap_or_default();
    let mut events: Vec<_> = Parser::new(description).collect();
    if let [
        Event::Start(Tag::Paragraph),
        inner @ ..,
        Event::End(TagEnd::Paragraph),
    ] = events.as_slice()
        && !inner.contains(&Event::Start(Tag::Paragraph))
    {
        events = inner.to_vec();
    }
    let mut text = String::new();
    html::push_html(&mut text, events.into_iter());
    text
}
