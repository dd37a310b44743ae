//! The types of the schema as complexity, null propagation and validation need them; built once from the schema's SDL.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Positioned,
    parser::types::{
        BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeKind, TypeSystemDefinition,
    },
};

/// The complexity of fields that cost more than others: a password hash, a scan in the database, or a value that can be
/// much longer than others.
const COMPLEXITY: &[(&str, u64)] = &[
    ("Mutation.login", 100),
    ("Mutation.changePassword", 100),
    ("Mutation.resetPassword", 100),
    ("Mutation.createUser", 100),
    ("Query.auditLogStats", 100),
    // The maximum number of intervals.
    ("AuditLogStats.overTime", 1_000),
    ("Session.context", 4),
    ("AuditLog.details", 4),
    ("AuditLog.description", 2),
];
/// The complexity of fields with these names in any type.
const COMPLEXITY_BY_NAME: &[(&str, u64)] = &[("totalCount", 10)];

/// A field of a type.
#[derive(Debug)]
pub struct SchemaField {
    /// The named type, without list and non-null wrappers.
    pub type_name: String,
    pub is_list: bool,
    nullable: Nullable,
    pub arguments: Vec<InputValueDefinition>,
    /// Whether it has the argument `first` or `last`.
    pub is_paginated: bool,
    /// The complexity of the field itself, without the fields below it.
    pub complexity: u64,
}

/// Whether a field can be null, and whether the items of its list can.
#[derive(Debug)]
struct Nullable {
    value: bool,
    items: bool,
}

/// The fields of all types, the arguments of all directives, and the lengths of introspection's lists.
#[derive(Debug, Default)]
pub struct SchemaTypes {
    types: HashMap<String, HashMap<String, SchemaField>>,
    directives: HashMap<String, Vec<InputValueDefinition>>,
    interfaces: HashSet<String>,
    introspection: IntrospectionItems,
}

/// The average lengths of introspection's lists, rounded up.
#[derive(Clone, Copy, Debug, Default)]
struct IntrospectionItems {
    types: u64,
    directives: u64,
    fields_of_a_type: u64,
    arguments_of_a_field: u64,
    inputs_of_a_type: u64,
    values_of_a_type: u64,
    types_of_a_type: u64,
}

impl SchemaTypes {
    pub fn new(definitions: &[TypeSystemDefinition]) -> Self {
        let (mut types, mut directives) = (HashMap::new(), HashMap::new());
        let (mut all_fields, mut all_arguments, mut all_inputs, mut all_values, mut all_types) = (0, 0, 0, 0, 0);
        let mut interfaces = HashSet::new();
        let mut kinds = 0;
        for definition in definitions {
            let ty = match definition {
                TypeSystemDefinition::Type(ty) => &ty.node,
                TypeSystemDefinition::Directive(directive) => {
                    directives.insert(directive.node.name.node.to_string(), inputs(&directive.node.arguments));
                    continue;
                }
                TypeSystemDefinition::Schema(_) => continue,
            };
            kinds += 1;
            let name = ty.name.node.to_string();
            let fields = match &ty.kind {
                TypeKind::Object(object) => {
                    all_types += object.implements.len();
                    &object.fields
                }
                TypeKind::Interface(interface) => {
                    interfaces.insert(name.clone());
                    &interface.fields
                }
                TypeKind::InputObject(input) => {
                    all_inputs += input.fields.len();
                    continue;
                }
                TypeKind::Enum(values) => {
                    all_values += values.values.len();
                    continue;
                }
                TypeKind::Union(union) => {
                    all_types += union.members.len();
                    continue;
                }
                TypeKind::Scalar => continue,
            };
            all_fields += fields.len();
            all_arguments += fields.iter().map(|field| field.node.arguments.len()).sum::<usize>();
            let named = |field: &FieldDefinition| (field.name.node.to_string(), SchemaField::new(&name, field));
            let fields = fields.iter().map(|field| named(&field.node)).collect();
            types.insert(name, fields);
        }
        let with_fields = types.len();
        let average = |all: usize, of: usize| all.div_ceil(of.max(1)).max(1) as u64;
        let introspection = IntrospectionItems {
            // async-graphql adds the introspection types, the built-in scalars and the standard directives.
            types: kinds + 13,
            directives: directives.len() as u64 + 4,
            fields_of_a_type: average(all_fields, with_fields),
            arguments_of_a_field: average(all_arguments, all_fields),
            inputs_of_a_type: average(all_inputs, with_fields),
            values_of_a_type: average(all_values, with_fields),
            types_of_a_type: average(all_types, with_fields),
        };
        Self { types, directives, interfaces, introspection }
    }

    /// The root operation type.
    pub fn root(operation: OperationType) -> &'static str {
        match operation {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        }
    }

    /// The field of a type; `None` if the schema does not have it.
    pub fn field(&self, ty: &str, field: &str) -> Option<&SchemaField> {
        self.types.get(ty)?.get(field)
    }

    /// The arguments of a directive; empty if the schema does not have it.
    pub fn directive_arguments(&self, name: &str) -> &[InputValueDefinition] {
        self.directives.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns true for object types.
    pub fn is_object(&self, ty: &str) -> bool {
        self.types.contains_key(ty) && !self.interfaces.contains(ty)
    }

    /// The number of items that an introspection field lists; 1 if it is not a list.
    pub fn introspection_items(&self, field: &str) -> u64 {
        match field {
            "types" => self.introspection.types,
            "directives" => self.introspection.directives,
            "fields" => self.introspection.fields_of_a_type,
            "args" => self.introspection.arguments_of_a_field,
            "inputFields" => self.introspection.inputs_of_a_type,
            "enumValues" => self.introspection.values_of_a_type,
            "interfaces" | "possibleTypes" => self.introspection.types_of_a_type,
            _ => 1,
        }
    }
}

fn inputs(definitions: &[Positioned<InputValueDefinition>]) -> Vec<InputValueDefinition> {
    definitions.iter().map(|definition| definition.node.clone()).collect()
}

impl SchemaField {
    fn new(ty: &str, field: &FieldDefinition) -> Self {
        fn unwrap(ty: &Type) -> (bool, &str) {
            match &ty.base {
                BaseType::Named(name) => (false, name.as_str()),
                BaseType::List(of) => (true, unwrap(of).1),
            }
        }
        let name = field.name.node.as_str();
        let (is_list, type_name) = unwrap(&field.ty.node);
        let path = format!("{ty}.{name}");
        let listed = COMPLEXITY.iter().find(|(field, _)| *field == path);
        let listed = listed.or_else(|| COMPLEXITY_BY_NAME.iter().find(|(field, _)| *field == name));
        let is_paginated =
            field.arguments.iter().any(|argument| matches!(argument.node.name.node.as_str(), "first" | "last"));
        let items = matches!(&field.ty.node.base, BaseType::List(of) if of.nullable);
        Self {
            type_name: type_name.to_owned(),
            is_list,
            nullable: Nullable { value: field.ty.node.nullable, items },
            arguments: inputs(&field.arguments),
            is_paginated,
            complexity: listed.map_or(1, |(_, complexity)| *complexity),
        }
    }

    pub fn is_nullable(&self) -> bool {
        self.nullable.value
    }

    pub fn has_nullable_items(&self) -> bool {
        self.nullable.items
    }
}
