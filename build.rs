//! Migrations and the console's files are compiled in; without this, new ones would go unnoticed.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
    // Cargo takes a path that does not exist for one that always changes.
    let console = if std::path::Path::new("web/dist").exists() { "web/dist" } else { "web" };
    println!("cargo:rerun-if-changed={console}");
}
