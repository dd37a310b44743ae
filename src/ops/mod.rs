//! Tasks of operators: the first admin, adoption and self-check of a database, key rotation, seeding. No GraphQL and no HTTP.

pub mod adoption;
pub mod first_admin;
pub mod key_rotation;
pub mod seed;
pub mod self_check;
pub mod stored_json;
