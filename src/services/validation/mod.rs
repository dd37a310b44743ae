//! Validation of what clients write, before it is stored and shown to other users. No rule here reads the database.

mod hidden_characters;
mod text;
mod user_fields;

pub use self::{
    hidden_characters::is_hidden,
    text::{check_json, check_line, check_lines},
    user_fields::{check_email, check_full_name, check_username},
};
