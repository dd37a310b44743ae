//! The schema only grows: what clients may rely on, `landed.graphql`, is compared with what the schema is now.
//! `docs/schema.md` says how something goes away after all.

use std::collections::BTreeMap;

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{
            BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use guardianeye::graphql::GraphqlApi;

#[test]
fn the_schema_breaks_no_client_of_the_landed_one() {
    let landed = include_str!("landed.graphql");
    let broken = breaks(landed, &GraphqlApi::default().sdl());
    assert!(broken.is_empty(), "clients may rely on this (see docs/schema.md): {broken:#?}");
}

const OLD: &str = "
    interface Node { id: ID! }
    enum Role { VIEWER ADMIN OLD @deprecated }
    input Filter { role: Role = VIEWER, name: String! }
    input Gone { a: Int @deprecated }
    type User implements Node { id: ID!, name: String, roles: [Role!], old(a: Int): Int @deprecated }
    union Any = User
    scalar Time
    directive @requires(role: String) on FIELD_DEFINITION
    type Query { users(first: Int = 20, filter: Filter): [User!], user(id: ID!): User }
";

#[test]
fn additions_pass() {
    for (from, to) in [
        ("name: String,", "name: String!,"),
        ("name: String,", "name(upper: Boolean): String, age: Int,"),
        ("roles: [Role!]", "roles: [Role!]!"),
        ("VIEWER ADMIN", "VIEWER ADMIN ANALYST"),
        ("name: String!", "name: String"),
        ("name: String!", "name: String!, age: Int, size: Int! = 1"),
        ("user(id: ID!)", "user(id: ID)"),
        ("user(id: ID!): User", "user(id: ID!): User, me: User"),
        ("union Any = User", "union Any = User | Query"),
        ("scalar Time", "scalar Time scalar Day type Session { id: ID }"),
        // What was deprecated may go.
        ("OLD @deprecated", ""),
        ("old(a: Int): Int @deprecated", ""),
        ("input Gone { a: Int @deprecated }", ""),
    ] {
        assert_eq!(breaks(OLD, &OLD.replace(from, to)), [""; 0], "{from} -> {to}");
    }
}

#[test]
fn whatever_breaks_a_client_is_named() {
    for (from, to, named) in [
        ("scalar Time", "", "Time is gone"),
        ("scalar Time", "enum Time { NOON }", "Time is a scalar no more"),
        ("name: String,", "", "User.name is gone"),
        ("name: String,", "name: Int,", "User.name was String and is Int"),
        ("id: ID!, name", "id: ID, name", "User.id was ID! and is ID"),
        ("roles: [Role!]", "roles: [Role]", "User.roles was [Role!] and is [Role]"),
        ("roles: [Role!]", "roles: Role", "User.roles was [Role!] and is Role"),
        ("name: String,", "name(upper: Boolean!): String,", "User.name(upper) is new and required"),
        ("VIEWER ADMIN", "VIEWER", "Role.ADMIN is gone"),
        ("type User implements Node", "type User", "User is a Node no more"),
        ("union Any = User", "union Any = Query", "Any is a User no more"),
        ("first: Int = 20, ", "", "Query.users(first) is gone"),
        ("first: Int = 20", "first: Int! = 20", "Query.users(first) was Int and is Int!"),
        ("first: Int = 20", "first: Int = 10", "Query.users(first) was 20 by default and is 10"),
        ("first: Int = 20", "first: String = 20", "Query.users(first) was Int and is String"),
        ("role: Role = VIEWER", "role: Role", "Filter.role was VIEWER by default and is nothing"),
        ("name: String!", "", "Filter.name is gone"),
        ("name: String!", "name: String!, age: Int!", "Filter.age is new and required"),
        ("@requires(role: String)", "@needs(role: String)", "@requires is gone"),
        ("@requires(role: String)", "@requires", "@requires(role) is gone"),
    ] {
        assert_eq!(breaks(OLD, &OLD.replace(from, to)), [named], "{from} -> {to}");
    }
}

/// What a client of the old schema could not do any more.
fn breaks(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (Schema::of(old), Schema::of(new));
    let mut found = Vec::new();
    for (name, directive) in &old.directives {
        match new.directives.get(name) {
            None => found.push(format!("@{name} is gone")),
            Some(now) => inputs(&format!("@{name}"), directive, now, true, &mut found),
        }
    }
    for (name, ty) in &old.types {
        match new.types.get(name) {
            None if all_deprecated(ty) => {}
            None => found.push(format!("{name} is gone")),
            Some(now) => compare(name, ty, now, &mut found),
        }
    }
    found
}

#[derive(Default)]
struct Schema {
    types: BTreeMap<String, TypeDefinition>,
    directives: BTreeMap<String, Vec<Positioned<InputValueDefinition>>>,
}

impl Schema {
    fn of(sdl: &str) -> Self {
        let mut schema = Self::default();
        for definition in parse_schema(sdl).expect("the SDL is GraphQL").definitions {
            match definition {
                TypeSystemDefinition::Type(ty) => {
                    schema.types.insert(ty.node.name.node.to_string(), ty.node);
                }
                TypeSystemDefinition::Directive(directive) => {
                    schema.directives.insert(directive.node.name.node.to_string(), directive.node.arguments);
                }
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        schema
    }
}

fn compare(name: &str, old: &TypeDefinition, new: &TypeDefinition, found: &mut Vec<String>) {
    match (&old.kind, &new.kind) {
        (TypeKind::Scalar, TypeKind::Scalar) => {}
        (TypeKind::Object(old), TypeKind::Object(new)) => {
            members(name, &old.implements, &new.implements, found);
            fields(name, &old.fields, &new.fields, found);
        }
        (TypeKind::Interface(old), TypeKind::Interface(new)) => fields(name, &old.fields, &new.fields, found),
        (TypeKind::Union(old), TypeKind::Union(new)) => members(name, &old.members, &new.members, found),
        (TypeKind::Enum(old), TypeKind::Enum(new)) => {
            for value in &old.values {
                let gone = !new.values.iter().any(|now| now.node.value == value.node.value);
                if gone && !is_deprecated(&value.node.directives) {
                    found.push(format!("{name}.{} is gone", value.node.value.node));
                }
            }
        }
        (TypeKind::InputObject(old), TypeKind::InputObject(new)) => {
            inputs(name, &old.fields, &new.fields, false, found);
        }
        (kind, _) => found.push(format!("{name} is {} no more", word(kind))),
    }
}

fn members<T: PartialEq + std::fmt::Display>(
    name: &str,
    old: &[Positioned<T>],
    new: &[Positioned<T>],
    found: &mut Vec<String>,
) {
    let gone = old.iter().filter(|member| !new.iter().any(|now| now.node == member.node));
    found.extend(gone.map(|member| format!("{name} is a {} no more", member.node)));
}

fn fields(
    name: &str,
    old: &[Positioned<FieldDefinition>],
    new: &[Positioned<FieldDefinition>],
    found: &mut Vec<String>,
) {
    for field in old {
        let (field, at) = (&field.node, format!("{name}.{}", field.node.name.node));
        match new.iter().find(|now| now.node.name == field.name) {
            None if is_deprecated(&field.directives) => {}
            None => found.push(format!("{at} is gone")),
            Some(now) => {
                let (was, is) = (&field.ty.node, &now.node.ty.node);
                if !gives(was, is) {
                    found.push(format!("{at} was {was} and is {is}"));
                }
                inputs(&at, &field.arguments, &now.node.arguments, true, found);
            }
        }
    }
}

/// Arguments of a field, or fields of an input object.
fn inputs(
    name: &str,
    old: &[Positioned<InputValueDefinition>],
    new: &[Positioned<InputValueDefinition>],
    arguments: bool,
    found: &mut Vec<String>,
) {
    let place = |input: &InputValueDefinition| {
        let input = &input.name.node;
        if arguments { format!("{name}({input})") } else { format!("{name}.{input}") }
    };
    for input in old {
        let (input, at) = (&input.node, place(&input.node));
        match new.iter().find(|now| now.node.name == input.name) {
            None if is_deprecated(&input.directives) => {}
            None => found.push(format!("{at} is gone")),
            Some(now) => {
                let (was, is) = (&input.ty.node, &now.node.ty.node);
                let default = |input: &InputValueDefinition| {
                    input.default_value.as_ref().map_or("nothing".to_owned(), |value| value.node.to_string())
                };
                let (was_default, is_default) = (default(input), default(&now.node));
                // What was taken has to be taken still.
                if !gives(is, was) {
                    found.push(format!("{at} was {was} and is {is}"));
                } else if input.default_value.is_some() && was_default != is_default {
                    found.push(format!("{at} was {was_default} by default and is {is_default}"));
                }
            }
        }
    }
    for input in new {
        let is_new = !old.iter().any(|was| was.node.name == input.node.name);
        if is_new && !input.node.ty.node.nullable && input.node.default_value.is_none() {
            found.push(format!("{} is new and required", place(&input.node)));
        }
    }
}

/// Whether every value of the one type is one of the other.
fn gives(wanted: &Type, given: &Type) -> bool {
    let fits = match (&wanted.base, &given.base) {
        (BaseType::Named(wanted), BaseType::Named(given)) => wanted == given,
        (BaseType::List(wanted), BaseType::List(given)) => gives(wanted, given),
        _ => false,
    };
    fits && (wanted.nullable || !given.nullable)
}

fn is_deprecated(directives: &[Positioned<ConstDirective>]) -> bool {
    directives.iter().any(|directive| directive.node.name.node == "deprecated")
}

/// A type goes when all that it has may go.
fn all_deprecated(ty: &TypeDefinition) -> bool {
    match &ty.kind {
        TypeKind::Object(object) => object.fields.iter().all(|field| is_deprecated(&field.node.directives)),
        TypeKind::Interface(interface) => interface.fields.iter().all(|field| is_deprecated(&field.node.directives)),
        TypeKind::Enum(values) => values.values.iter().all(|value| is_deprecated(&value.node.directives)),
        TypeKind::InputObject(input) => input.fields.iter().all(|field| is_deprecated(&field.node.directives)),
        TypeKind::Scalar | TypeKind::Union(_) => false,
    }
}

fn word(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Scalar => "a scalar",
        TypeKind::Object(_) => "an object",
        TypeKind::Interface(_) => "an interface",
        TypeKind::Union(_) => "a union",
        TypeKind::Enum(_) => "an enum",
        TypeKind::InputObject(_) => "an input object",
    }
}
