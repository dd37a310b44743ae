//! The arguments that determine complexity: page sizes, the lengths of lists, and filter operators without an index. Variables
//! are replaced by their values.

use async_graphql::{
    Name, Positioned, Value as ConstValue, Variables,
    parser::types::{Field, OperationDefinition, VariableDefinition},
};
use async_graphql_value::Value;

use crate::graphql::page_size::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};

/// The complexity of a filter operator for which the database may have to read every row.
const SCAN: u64 = 100;
/// Those operators. Whether an index serves one depends on the database and on `db search-index`.
const SCAN_OPERATORS: [&str; 3] = ["contains", "startsWith", "search"];

/// The variables of an operation with their values.
pub struct ArgumentValues<'a> {
    definitions: &'a [Positioned<VariableDefinition>],
    variables: &'a Variables,
}

impl<'a> ArgumentValues<'a> {
    pub fn new(operation: &'a OperationDefinition, variables: &'a Variables) -> Self {
        Self { definitions: &operation.variable_definitions, variables }
    }

    /// The page size that `first` or `last` specifies, or the default. An invalid size is rejected later; until then it counts
    /// as the largest.
    pub fn page_size(&self, field: &Field) -> u64 {
        let sizes = ["first", "last"].into_iter().filter_map(|name| {
            let size = match &field.get_argument(name)?.node {
                Value::Null => return None,
                Value::Number(size) => size.as_u64(),
                Value::Variable(variable) => match self.variable(variable)? {
                    ConstValue::Number(size) => size.as_u64(),
                    _ => None,
                },
                _ => None,
            };
            Some(size.unwrap_or(MAX_PAGE_SIZE.into()).clamp(1, MAX_PAGE_SIZE.into()))
        });
        sizes.max().unwrap_or(DEFAULT_PAGE_SIZE.into())
    }

    /// The length of the longest list among the arguments.
    pub fn longest_list(&self, field: &Field) -> Option<u64> {
        let lengths = field.arguments.iter().filter_map(|(_, value)| match &value.node {
            Value::List(items) => Some(items.len()),
            Value::Variable(variable) => match self.variable(variable)? {
                ConstValue::List(items) => Some(items.len()),
                _ => None,
            },
            _ => None,
        });
        lengths.max().map(|length| length as u64)
    }

    /// The complexity of the operators in the argument `filter`.
    pub fn filter_complexity(&self, field: &Field) -> u64 {
        match field.get_argument("filter").map(|filter| &filter.node) {
            Some(Value::Variable(variable)) => self.variable(variable).map_or(0, scans_in_value),
            Some(literal) => self.scans_in_literal(literal),
            None => 0,
        }
    }

    /// Recursion is bounded: the nesting of brackets was limited before the document was parsed.
    fn scans_in_literal(&self, literal: &Value) -> u64 {
        match literal {
            Value::Object(fields) => {
                let scans = |(name, value)| if is_scan(name) { SCAN } else { self.scans_in_literal(value) };
                fields.iter().map(scans).sum()
            }
            Value::List(items) => items.iter().map(|item| self.scans_in_literal(item)).sum(),
            Value::Variable(variable) => self.variable(variable).map_or(0, scans_in_value),
            _ => 0,
        }
    }

    /// The value of a variable, or its default; `None` if it is null or missing.
    fn variable(&self, name: &Name) -> Option<&ConstValue> {
        let value = self.variables.get(name);
        let definition = || self.definitions.iter().find(|definition| definition.node.name.node == *name);
        let value = value.or_else(|| definition()?.node.default_value.as_ref().map(|value| &value.node))?;
        (*value != ConstValue::Null).then_some(value)
    }
}

/// Recursion is bounded: the nesting of variables was limited when they were read.
fn scans_in_value(value: &ConstValue) -> u64 {
    match value {
        ConstValue::Object(fields) => {
            fields.iter().map(|(name, value)| if is_scan(name) { SCAN } else { scans_in_value(value) }).sum()
        }
        ConstValue::List(items) => items.iter().map(scans_in_value).sum(),
        _ => 0,
    }
}

fn is_scan(operator: &Name) -> bool {
    SCAN_OPERATORS.contains(&operator.as_str())
}
