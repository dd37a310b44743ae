//! The shapes of the schema's fields, as far as the cost of a query, its errors and its literals depend on them; read once
//! from the schema's SDL.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Positioned,
    parser::types::{
        BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeKind, TypeSystemDefinition,
    },
};

/// What a field costs beyond its own place in the answer: one of slow hashing, of a scan in the database, or of a value
/// that may be as long as thousands of others.
const WORK: &[(&str, u64)] = &[
    ("Mutation.login", 100),
    ("Mutation.changePassword", 100),
    ("Mutation.resetPassword", 100),
    ("Mutation.createUser", 100),
    ("Query.auditLogStats", 100),
    // So many intervals at most, however few the bounds let it have.
    ("AuditLogStats.overTime", 1_000),
    ("Session.context", 4),
    ("AuditLog.details", 4),
    ("AuditLog.description", 2),
];
/// The same for a field of this name wherever it stands.
const WORK_ANYWHERE: &[(&str, u64)] = &[("totalCount", 10)];

/// One field of a type.
#[derive(Debug)]
pub struct Field {
    /// The type behind lists and non-null marks.
    pub of: String,
    /// Whether its value is a list.
    pub list: bool,
    /// Whether it may be null itself, and whether the items of its list may.
    nullable: Nullable,
    pub arguments: Vec<InputValueDefinition>,
    /// Whether it takes `first` or `last`.
    pub paged: bool,
    /// What it costs itself.
    pub cost: u64,
}

#[derive(Debug)]
struct Nullable {
    value: bool,
    items: bool,
}

/// All fields of all types, which of these are objects, the arguments of directives, and how many there are of what
/// introspection lists.
#[derive(Debug, Default)]
pub struct SchemaTypes {
    types: HashMap<String, HashMap<String, Field>>,
    directives: HashMap<String, Vec<InputValueDefinition>>,
    interfaces: HashSet<String>,
    counts: Counts,
}

/// The usual lengths of introspection's lists, rounded up.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    types: u64,
    directives: u64,
    fields_of_a_type: u64,
    arguments_of_a_field: u64,
    inputs_of_a_type: u64,
    values_of_a_type: u64,
    types_of_a_type: u64,
}

impl SchemaTypes {
    /// Of the schema that these definitions are.
    pub fn of(definitions: &[TypeSystemDefinition]) -> Self {
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
            let shape = |field: &FieldDefinition| (field.name.node.to_string(), Field::new(&name, field));
            let fields = fields.iter().map(|field| shape(&field.node)).collect();
            types.insert(name, fields);
        }
        let with_fields = types.len();
        let each = |all: usize, of: usize| all.div_ceil(of.max(1)).max(1) as u64;
        let counts = Counts {
            // The library adds the types of introspection, the scalars and the standard directives.
            types: kinds + 13,
            directives: directives.len() as u64 + 4,
            fields_of_a_type: each(all_fields, with_fields),
            arguments_of_a_field: each(all_arguments, all_fields),
            inputs_of_a_type: each(all_inputs, with_fields),
            values_of_a_type: each(all_values, with_fields),
            types_of_a_type: each(all_types, with_fields),
        };
        Self { types, directives, interfaces, counts }
    }

    /// The type an operation begins at.
    pub fn root(operation: OperationType) -> &'static str {
        match operation {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        }
    }

    /// The field of a type, unless the schema has none such.
    pub fn field(&self, ty: &str, field: &str) -> Option<&Field> {
        self.types.get(ty)?.get(field)
    }

    /// The arguments of a directive; none if the schema has none such.
    pub fn of_directive(&self, name: &str) -> &[InputValueDefinition] {
        self.directives.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the type has fields, and is no interface.
    pub fn is_object(&self, ty: &str) -> bool {
        self.types.contains_key(ty) && !self.interfaces.contains(ty)
    }

    /// How many things introspection lists under this field.
    pub fn introspected(&self, field: &str) -> u64 {
        match field {
            "types" => self.counts.types,
            "directives" => self.counts.directives,
            "fields" => self.counts.fields_of_a_type,
            "args" => self.counts.arguments_of_a_field,
            "inputFields" => self.counts.inputs_of_a_type,
            "enumValues" => self.counts.values_of_a_type,
            "interfaces" | "possibleTypes" => self.counts.types_of_a_type,
            _ => 1,
        }
    }
}

fn inputs(definitions: &[Positioned<InputValueDefinition>]) -> Vec<InputValueDefinition> {
    definitions.iter().map(|definition| definition.node.clone()).collect()
}

impl Field {
    fn new(ty: &str, field: &FieldDefinition) -> Self {
        fn unwrap(ty: &Type) -> (bool, &str) {
            match &ty.base {
                BaseType::Named(name) => (false, name.as_str()),
                BaseType::List(of) => (true, unwrap(of).1),
            }
        }
        let name = field.name.node.as_str();
        let (list, of) = unwrap(&field.ty.node);
        let path = format!("{ty}.{name}");
        let work = WORK.iter().find(|(known, _)| *known == path);
        let work = work.or_else(|| WORK_ANYWHERE.iter().find(|(known, _)| *known == name));
        let paged = field.arguments.iter().any(|argument| matches!(argument.node.name.node.as_str(), "first" | "last"));
        let items = matches!(&field.ty.node.base, BaseType::List(of) if of.nullable);
        Self {
            of: of.to_owned(),
            list,
            nullable: Nullable { value: field.ty.node.nullable, items },
            arguments: inputs(&field.arguments),
            paged,
            cost: work.map_or(1, |(_, cost)| *cost),
        }
    }

    /// Whether its value may be null.
    pub fn may_be_null(&self) -> bool {
        self.nullable.value
    }

    /// Whether an item of its list may be null.
    pub fn items_may_be_null(&self) -> bool {
        self.nullable.items
    }
}
