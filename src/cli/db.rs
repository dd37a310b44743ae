//! `guardianeye db init`, and the way to the other `db` commands.

use std::process::ExitCode;

use crate::{
    auth::{Hasher, Strength},
    clock::Clock,
    config::{Common, DbCommand, InitArgs},
    db::{Db, Settings},
    error::Result,
    services::first_admin::{self, FirstAdmin},
};

pub async fn run(common: &Common, command: DbCommand) -> Result<ExitCode> {
    match command {
        DbCommand::Init(args) => {
            let db = super::connect(common, Settings::default()).await?;
            let done = init(&db, args).await;
            db.close().await;
            done
        }
        DbCommand::Check { json } => super::check::run(common, json).await,
        DbCommand::Seed(args) => super::seed::run(common, args).await,
        DbCommand::SearchIndex(args) => super::search_index::run(common, args).await,
    }
}

const RULE: &str = "============================================================";

async fn init(db: &Db, args: InitArgs) -> Result<ExitCode> {
    println!("{RULE}\nInitializing Database Tables\n{RULE}\n");
    println!("[1/3] Creating database tables...");
    db.migrate().await?;
    println!("✓ Tables created successfully\n");

    println!("[2/3] Verifying tables...");
    let tables = db.tables().await?;
    println!("✓ Found {} tables:", tables.len());
    for table in &tables {
        println!("  - {table}");
    }
    println!("\n[3/3] Verifying indexes...");
    println!("✓ Found {} indexes\n", db.indexes().await?.len());
    println!("{RULE}\n✓ Database initialization complete!\n{RULE}\n");
    println!("✓ {} connected: {} {}", db.kind(), db.kind(), db.server_version().await?);
    println!("✓ Found {} tables in database\n", tables.len());

    let chosen = args.admin_password.is_some();
    let hasher = Hasher::new(Strength::Owasp, 1)?;
    match first_admin::ensure(db, &hasher, Clock::System, args.admin_password).await? {
        FirstAdmin::Untouched => println!("Users found. No default admin user is needed."),
        FirstAdmin::PasswordReplaced => println!("✓ Replaced the default password of admin by the one given"),
        FirstAdmin::Created(admin) => {
            println!("No users found. Creating default admin user...");
            println!("✓ Created default admin user:\n  Username: {}", admin.username);
            if chosen {
                println!("  Password: as given");
            } else {
                println!("  Password: admin\n  ⚠ CHANGE THIS PASSWORD IN PRODUCTION!");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
