//! `guardianeye db init`, and the dispatch to the other `db` commands.

use std::process::ExitCode;

use super::database;
use crate::{
    auth::{HashCost, PasswordHasher},
    clock::Clock,
    config::{Common, DbCommand, DbInitArgs},
    db::{Db, Plan, Settings},
    error::{Error, ErrorCode, Result},
    ops::{
        adoption::{self, Found},
        first_admin::{self, ChosenPassword, FirstAdmin},
    },
};

pub async fn run(common: &Common, command: DbCommand) -> Result<ExitCode> {
    match command {
        DbCommand::Init(args) => {
            let settings = Settings { create: !args.dry_run, ..Settings::default() };
            let db = match database::connect(common, settings).await {
                Err(error) if args.dry_run && error.code() == ErrorCode::NotFound => {
                    println!("Would create the database file and the tables.\n{DRY_RUN}");
                    return Ok(ExitCode::SUCCESS);
                }
                connected => connected?,
            };
            let done = prepare(&db, args).await;
            db.close().await;
            done
        }
        DbCommand::Check { json } => super::check::run(common, json).await,
        DbCommand::Backup(args) => super::backup::run(common, args).await,
        DbCommand::Seed(args) => super::seed::run(common, args).await,
        DbCommand::SearchIndex(args) => super::search_index::run(common, args).await,
    }
}

const DRY_RUN: &str = "Nothing was changed: this was a dry run.";
const RULE: &str = "============================================================";

async fn prepare(db: &Db, args: DbInitArgs) -> Result<ExitCode> {
    let found = if args.dry_run { adoption::inspect(db).await? } else { adoption::adopt(db).await? };
    match &found {
        Found::Legacy(plan) => print_adoption(plan, args.dry_run)?,
        Found::NotNeeded if args.dry_run && db.is_migrated().await? => println!("The tables are up to date."),
        Found::NotNeeded if args.dry_run => println!("Would create or migrate the tables."),
        Found::NotNeeded => {}
    }
    if args.dry_run {
        println!("{DRY_RUN}");
        return Ok(ExitCode::SUCCESS);
    }
    init(db, args).await
}

/// Prints the changes of an adoption; an error if the tables cannot be adopted.
fn print_adoption(plan: &Plan, dry_run: bool) -> Result<()> {
    println!("{RULE}\nAdopting the Database of an Older GuardianEye\n{RULE}\n");
    if !plan.problems.is_empty() {
        for problem in &plan.problems {
            println!("✗ {problem}");
        }
        return Err(Error::new(
            ErrorCode::Conflict,
            "the tables differ from those of the older program and cannot be adopted: nothing was changed",
        ));
    }
    for change in &plan.changes {
        println!("{} {}", if dry_run { "- would change:" } else { "✓" }, change.sentence);
    }
    for note in &plan.notes {
        println!("⚠ {note}");
    }
    let (verb, changes) = (if dry_run { "Would adopt" } else { "✓ Adopted" }, plan.changes.len());
    println!(
        "{verb} users, sessions and audit_logs with {changes} changes and the migrations; rows are not changed.\n"
    );
    Ok(())
}

async fn init(db: &Db, args: DbInitArgs) -> Result<ExitCode> {
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

    let min_length = args.password.password_min_length as usize;
    let configured = args.init.admin_password.map(|password| ChosenPassword { password, min_length });
    let has_configured_password = configured.is_some();
    let hasher = PasswordHasher::new(HashCost::Owasp, 1)?;
    match first_admin::ensure(db, &hasher, Clock::System, configured, super::operator::operator().as_ref()).await? {
        FirstAdmin::Unchanged => println!("Users found. No default admin user is needed."),
        FirstAdmin::PasswordReplaced => println!("✓ Replaced the default password of admin with the configured one"),
        FirstAdmin::Created(admin) => {
            println!("No users found. Creating default admin user...");
            println!("✓ Created default admin user:\n  Username: {}", admin.username);
            if has_configured_password {
                println!("  Password: as configured");
            } else {
                println!("  Password: admin\n  ⚠ CHANGE THIS PASSWORD IN PRODUCTION!");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
