//! The schema as a document: current, and described to the last argument.

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
    },
};
use guardianeye::graphql::GraphqlApi;

#[test]
fn schema_graphql_is_current() {
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap_or_default();
    assert!(
        written == GraphqlApi::default().sdl(),
        "schema.graphql is out of date: run `make schema` and look at the difference"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let mut missing = Missing::default();
    for definition in parse_schema(GraphqlApi::default().sdl()).expect("the SDL is GraphQL").definitions {
        let ty = match definition {
            TypeSystemDefinition::Type(ty) => ty,
            TypeSystemDefinition::Directive(directive) => {
                let name = format!("@{}", directive.node.name.node);
                missing.note(&name, directive.node.description.is_some());
                missing.inputs(&name, &directive.node.arguments);
                continue;
            }
            TypeSystemDefinition::Schema(_) => continue,
        };
        let name = ty.node.name.node.to_string();
        missing.note(&name, ty.node.description.is_some());
        match &ty.node.kind {
            TypeKind::Object(object) => missing.fields(&name, &object.fields),
            TypeKind::Interface(interface) => missing.fields(&name, &interface.fields),
            TypeKind::InputObject(input) => missing.inputs(&name, &input.fields),
            TypeKind::Enum(values) => {
                for value in &values.values {
                    missing.note(&format!("{name}.{}", value.node.value.node), value.node.description.is_some());
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert!(missing.0.is_empty(), "without a description: {:#?}", missing.0);
}

#[test]
fn every_scalar_says_where_it_is_specified() {
    for definition in parse_schema(GraphqlApi::default().sdl()).expect("the SDL is GraphQL").definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        if matches!(ty.node.kind, TypeKind::Scalar) {
            let specified = ty.node.directives.iter().any(|directive| directive.node.name.node == "specifiedBy");
            assert!(specified, "{}", ty.node.name.node);
        }
    }
}

#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn note(&mut self, what: &str, described: bool) {
        if !described {
            self.0.push(what.to_owned());
        }
    }

    fn fields(&mut self, parent: &str, fields: &[Positioned<FieldDefinition>]) {
        for field in fields {
            let name = format!("{parent}.{}", field.node.name.node);
            self.note(&name, field.node.description.is_some());
            self.inputs(&name, &field.node.arguments);
        }
    }

    fn inputs(&mut self, parent: &str, inputs: &[Positioned<InputValueDefinition>]) {
        for input in inputs {
            self.note(&format!("{parent}({})", input.node.name.node), input.node.description.is_some());
        }
    }
}
