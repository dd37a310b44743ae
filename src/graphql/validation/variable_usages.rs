//! Where variables stand, by the specification's rule "All Variable Usages Are Allowed": each variable of a type that fits
//! all its places. The library has this rule too, but never asks it: its visitors do not see values.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Pos, Positioned, ServerError, Value,
    parser::types::{BaseType, InputValueDefinition, Type, VariableDefinition},
};

/// A place for a value.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub ty: &'a Type,
    /// Whether there is a value for it if none is given.
    has_default: bool,
    pub pos: Pos,
}

impl<'a> Place<'a> {
    pub fn of(definition: &'a InputValueDefinition, pos: Pos) -> Self {
        Self { ty: &definition.ty.node, has_default: definition.default_value.is_some(), pos }
    }

    /// The place of an item in a list that stands here.
    pub fn item(self, ty: &'a Type) -> Self {
        Self { ty, has_default: false, ..self }
    }

    /// Whether the variable may stand here.
    fn takes(&self, variable: &VariableDefinition) -> bool {
        let ty = &variable.var_type.node;
        let default = variable.default_value.as_ref().is_some_and(|default| default.node != Value::Null);
        (self.ty.nullable || !ty.nullable || default || self.has_default) && same(&ty.base, &self.ty.base)
    }
}

/// Whether a value of one type is one of the other, null apart.
fn same(variable: &BaseType, place: &BaseType) -> bool {
    match (variable, place) {
        (BaseType::Named(variable), BaseType::Named(place)) => variable == place,
        (BaseType::List(variable), BaseType::List(place)) => {
            (place.nullable || !variable.nullable) && same(&variable.base, &place.base)
        }
        _ => false,
    }
}

/// A variable of an operation at one of its places.
type Usage<'a> = (&'a Positioned<VariableDefinition>, Place<'a>);

/// The operations and fragments of a document, with where variables stand in them.
#[derive(Default)]
pub struct Usages<'a>(Vec<Part<'a>>);

#[derive(Default)]
struct Part<'a> {
    /// The fragment's name, if it is one.
    fragment: Option<&'a Name>,
    /// The variables of the operation, if it is one.
    variables: HashMap<&'a Name, &'a Positioned<VariableDefinition>>,
    places: Vec<(&'a Name, Place<'a>)>,
    spreads: Vec<&'a Name>,
}

impl<'a> Usages<'a> {
    /// What is noted from here on is in an operation.
    pub fn in_operation(&mut self, variables: &'a [Positioned<VariableDefinition>]) {
        let variables = variables.iter().map(|definition| (&definition.node.name.node, definition)).collect();
        self.0.push(Part { variables, ..Part::default() });
    }

    /// What is noted from here on is in a fragment.
    pub fn in_fragment(&mut self, name: &'a Name) {
        self.0.push(Part { fragment: Some(name), ..Part::default() });
    }

    pub fn variable(&mut self, name: &'a Name, place: Place<'a>) {
        if let Some(part) = self.0.last_mut() {
            part.places.push((name, place));
        }
    }

    pub fn spread(&mut self, fragment: &'a Name) {
        if let Some(part) = self.0.last_mut() {
            part.spreads.push(fragment);
        }
    }

    /// One error for each operation that has a variable where it may not stand.
    pub fn misplaced(&self) -> Vec<ServerError> {
        let first = |usages: Vec<Usage<'a>>| {
            let (variable, place) = usages.into_iter().find(|(variable, place)| !place.takes(&variable.node))?;
            let VariableDefinition { name, var_type, .. } = &variable.node;
            let message = format!("the variable ${name} of type {var_type} stands where {} is wanted", place.ty);
            Some(ServerError::new(message, Some(place.pos)))
        };
        self.of_operations().filter_map(first).collect()
    }

    /// The definitions of variables that may be null where a place may not: a default lets them stand there.
    pub fn loose(&self) -> HashSet<Pos> {
        let loose = |(variable, place): Usage<'a>| {
            (variable.node.var_type.node.nullable && !place.ty.nullable).then_some(variable.pos)
        };
        self.of_operations().flatten().filter_map(loose).collect()
    }

    /// The usages of each operation, also those in the fragments that it spreads.
    fn of_operations(&self) -> impl Iterator<Item = Vec<Usage<'a>>> {
        let fragments: HashMap<_, _> = self.0.iter().filter_map(|part| Some((part.fragment?, part))).collect();
        let operations = self.0.iter().filter(|part| part.fragment.is_none());
        operations.map(move |operation| operation.usages(&fragments))
    }
}

impl<'a> Part<'a> {
    fn usages(&self, fragments: &HashMap<&'a Name, &Part<'a>>) -> Vec<Usage<'a>> {
        let mut usages = Vec::new();
        let mut seen = HashSet::new();
        let mut parts = vec![self];
        while let Some(part) = parts.pop() {
            // What is not defined is refused by the library.
            let defined = |(name, place): &(&'a Name, Place<'a>)| Some((*self.variables.get(name)?, *place));
            usages.extend(part.places.iter().filter_map(defined));
            let spreads = part.spreads.iter().filter(|name| seen.insert(**name));
            parts.extend(spreads.filter_map(|name| fragments.get(name)));
        }
        usages
    }
}
