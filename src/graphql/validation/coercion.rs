//! Variables before an operation runs, by the specification's section "Coercing Variable Values": each is of its type, or
//! nothing runs at all. The library looks at them only where a resolver asks for them, and then not at every type.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Number, Pos, ScalarType, Value, Variables,
    indexmap::IndexMap,
    parser::types::{BaseType, InputValueDefinition, OperationDefinition, Type, TypeKind, TypeSystemDefinition},
};

use crate::{error::Error, model::Timestamp};

/// The types that a value can be given in, by name; the scalars of GraphQL itself and unknown ones are not among them.
#[derive(Debug, Default)]
pub struct Inputs(HashMap<String, Input>);

/// What is behind the name of such a type.
#[derive(Debug)]
pub enum Input {
    Enum(HashSet<String>),
    Object(Vec<InputValueDefinition>),
}

impl Inputs {
    /// Of the schema that these definitions are.
    pub fn of(definitions: Vec<TypeSystemDefinition>) -> Self {
        let types = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some(ty.node),
            _ => None,
        });
        let inputs = types.filter_map(|ty| {
            let input = match ty.kind {
                TypeKind::Enum(ty) => {
                    Input::Enum(ty.values.iter().map(|value| value.node.value.node.to_string()).collect())
                }
                TypeKind::InputObject(ty) => Input::Object(ty.fields.into_iter().map(|field| field.node).collect()),
                _ => return None,
            };
            Some((ty.name.node.to_string(), input))
        });
        Self(inputs.collect())
    }

    /// The type of this name.
    pub fn get(&self, name: &str) -> Option<&Input> {
        self.0.get(name)
    }

    /// The values of the operation's variables, defaults filled in. A variable that is neither given nor has a default
    /// stays absent, which is not the same as null. Every mistake is an error at its variable's definition. Some
    /// variables must not be null although their types allow it: a place of theirs does not.
    pub fn coerce(
        &self,
        operation: &OperationDefinition,
        mut given: Variables,
        not_null: Option<&HashSet<Pos>>,
    ) -> Result<Variables, Vec<Error>> {
        let mut values = Variables::default();
        let mut errors = Vec::new();
        for definition in &operation.variable_definitions {
            let at = Some((definition.pos.line, definition.pos.column));
            let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
            let mut mistakes = Mistakes::default();
            let value = match (given.remove(name), &definition.node.default_value) {
                (Some(value), _) => Some(self.value(ty, value, name, &mut mistakes)),
                (None, Some(default)) => Some(default.node.clone()),
                (None, None) => {
                    if !ty.nullable {
                        mistakes.add(name, "is required, and was not given");
                    }
                    None
                }
            };
            if ty.nullable && value == Some(Value::Null) && not_null.is_some_and(|all| all.contains(&definition.pos)) {
                mistakes.add(name, "must not be null where it stands");
            }
            errors.extend(mistakes.0.into_iter().map(|error| error.with_location(at)));
            if let Some(value) = value {
                values.insert(name.clone(), value);
            }
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }

    /// The value as the type has it; whatever it is when it was a mistake.
    fn value(&self, ty: &Type, value: Value, path: &str, mistakes: &mut Mistakes) -> Value {
        match (&ty.base, value) {
            (_, Value::Null) => {
                if !ty.nullable {
                    mistakes.add(path, "must not be null");
                }
                Value::Null
            }
            (BaseType::List(of), Value::List(values)) => {
                let item = |(at, value)| self.value(of, value, &format!("{path}[{at}]"), mistakes);
                Value::List(values.into_iter().enumerate().map(item).collect())
            }
            // A single value stands for a list of one.
            (BaseType::List(of), value) => Value::List(vec![self.value(of, value, path, mistakes)]),
            (BaseType::Named(name), value) => match self.get(name) {
                Some(Input::Enum(values)) => match value {
                    Value::String(word) if values.contains(&word) => Value::Enum(Name::new(word)),
                    value => mistakes.keep(path, name, value),
                },
                Some(Input::Object(fields)) => match value {
                    Value::Object(values) => self.object(fields, values, path, mistakes),
                    value => mistakes.keep(path, name, value),
                },
                None => scalar(name, &value).unwrap_or_else(|| mistakes.keep(path, name, value)),
            },
        }
    }

    /// Defaults of fields are left to the library, which knows them.
    fn object(
        &self,
        fields: &[InputValueDefinition],
        mut given: IndexMap<Name, Value>,
        path: &str,
        mistakes: &mut Mistakes,
    ) -> Value {
        let mut values = IndexMap::new();
        for field in fields {
            let (name, ty) = (&field.name.node, &field.ty.node);
            let path = format!("{path}.{name}");
            match given.shift_remove(name) {
                Some(value) => {
                    values.insert(name.clone(), self.value(ty, value, &path, mistakes));
                }
                None if !ty.nullable && field.default_value.is_none() => {
                    mistakes.add(&path, "is required, and was not given");
                }
                None => {}
            }
        }
        for name in given.keys() {
            mistakes.add(&format!("{path}.{name}"), "is not a field of this type");
        }
        Value::Object(values)
    }
}

/// The value as a scalar has it, unless it is none of the scalar's.
fn scalar(name: &str, value: &Value) -> Option<Value> {
    let fits = match (name, value) {
        ("Int", Value::Number(number)) => return whole(number).and_then(|n| i32::try_from(n).ok()).map(Value::from),
        ("ID", Value::Number(number)) => return whole(number).map(|n| Value::from(n.to_string())),
        ("Int" | "ID", value) => name == "ID" && matches!(value, Value::String(_)),
        ("Float", value) => matches!(value, Value::Number(_)),
        ("String", value) => matches!(value, Value::String(_)),
        ("Boolean", value) => matches!(value, Value::Boolean(_)),
        ("DateTime", value) => Timestamp::parse(value.clone()).is_ok(),
        // JSON takes everything, and what the schema does not know is left to validation.
        _ => true,
    };
    fits.then(|| value.clone())
}

/// The integer that a number is, also when it is written as `1.0`: JSON makes no difference.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
        format!("{float:.0}").parse().ok()
    })
}

/// What is wrong with one variable.
#[derive(Default)]
struct Mistakes(Vec<Error>);

impl Mistakes {
    fn add(&mut self, path: &str, what: &str) {
        self.0.push(Error::bad_input(path.to_owned(), format!("the variable ${path} {what}")));
    }

    fn keep(&mut self, path: &str, ty: &str, value: Value) -> Value {
        self.add(path, &format!("is not of type {ty}"));
        value
    }
}
