//! Tasks of an operator: the first administrator, adopting and checking a database, rotating keys, seeding data.
//! No GraphQL and no HTTP here.

pub mod adoption;
pub mod first_admin;
pub mod key_rotation;
pub mod seed;
pub mod self_check;
pub mod stored_json;
