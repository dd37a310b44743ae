//! `guardianeye serve`.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use super::database;
use crate::{
    auth::HashCost,
    clock::Clock,
    config::{Common, Config, HttpSettings, ServeArgs},
    db::{self, Db, ExposedFile, Settings},
    error::{Error, ErrorCode, Result},
    graphql::GraphqlApi,
    http::{self, App, StopSignal},
    ops::first_admin::{self, ChosenPassword, FirstAdmin},
    services::{Services, default_accounts},
};

pub async fn run(common: &Common, args: ServeArgs) -> Result<ExitCode> {
    let config = Config::new(args).map_err(|message| Error::new(ErrorCode::BadUserInput, message))?;
    let settings = Settings {
        max_connections: config.limits.database_connections,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Some(config.limits.statement_timeout),
        create: true,
    };
    let db = database::connect(common, settings).await?;
    migrate(common, &db, &config).await?;
    restrict_file_modes(&db);
    let services = Services::new(db.clone(), Clock::System, config.limits, HashCost::Owasp).await?;
    if !config.private && config.admin_password.is_none() && first_admin::is_missing(&db).await? {
        return Err(Error::new(
            ErrorCode::Conflict,
            format!(
                "{}; the first admin would have the default password. Set GUARDIANEYE_ADMIN_PASSWORD",
                reachable_by_others(&config)
            ),
        ));
    }
    let chosen = config
        .admin_password
        .clone()
        .map(|password| ChosenPassword { password, min_length: config.limits.accounts.password_min_length });
    let operator = super::operator::operator();
    match first_admin::ensure(&db, &services.password_hasher, services.clock, chosen, operator.as_ref()).await? {
        FirstAdmin::Created(admin) => tracing::warn!(username = admin.username, "created the first admin"),
        FirstAdmin::PasswordReplaced => {
            tracing::warn!("replaced the default password of the first admin with the configured one");
        }
        FirstAdmin::Unchanged => {}
    }
    reject_default_passwords(&services, &config).await?;

    let signal = StopSignal::listen().map_err(Error::internal)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|cause| Error::internal(cause).with_message(format!("cannot listen on {}", config.listen)))?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let database = format!("{} {}", db.kind(), db.server_version().await?);
    let page = if http::console_is_embedded() { "the console" } else { "GraphiQL" };
    tracing::info!(database, "listening on http://{address} - GraphQL at /graphql, {page} at /");
    if !http::console_is_embedded() {
        tracing::warn!(
            "built without the console: / serves GraphiQL from a public CDN; run `make web` and build again to include the console"
        );
    }
    if !config.listen.ip().is_loopback() {
        warn_about_plain_http(&config.http);
    }
    let settings = Arc::new(config.http);
    let detached = services.detached.clone();
    let app = App { api: GraphqlApi::default(), services: Arc::new(services), http: Arc::clone(&settings) };
    http::serve(listener, app.router(), &settings, &detached, signal.received()).await;
    db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn warn_about_plain_http(settings: &HttpSettings) {
    if settings.allow_plain_http {
        tracing::warn!(
            "the server accepts passwords and tokens over plain HTTP: restrict access to the port to this machine"
        );
    } else if settings.trusted_proxies.is_empty() {
        tracing::warn!(
            "the server rejects logins of other machines over plain HTTP: configure a trusted proxy with TLS (GUARDIANEYE_TRUSTED_PROXIES), or allow plain HTTP (GUARDIANEYE_ALLOW_PLAIN_HTTP)"
        );
    }
}

fn restrict_file_modes(db: &Db) {
    for ExposedFile { file, mode, closed } in db::restrict_permissions(db) {
        let (file, mode) = (file.display(), format!("{mode:04o}"));
        if closed {
            tracing::warn!(%file, mode, "other users could read this database file: changed its mode to 0600");
        } else {
            tracing::warn!(%file, mode, "other users can read this file, which may contain password hashes and keys: run chmod 600");
        }
    }
}

/// Migrates an SQLite database; a PostgreSQL database only if configured, as its operator decides.
async fn migrate(common: &Common, db: &Db, config: &Config) -> Result<()> {
    if !db.needs_operator() || config.migrate {
        // A connection without the statement timeout of the server.
        let db = database::connect(common, Settings::default()).await?;
        let done = db.migrate().await;
        db.close().await;
        return done;
    }
    if db.is_migrated().await? {
        return Ok(());
    }
    Err(database::not_migrated("run `guardianeye db init`, or `guardianeye serve --migrate`"))
}

async fn reject_default_passwords(services: &Services, config: &Config) -> Result<()> {
    let accounts = default_accounts::with_default_password(&services.db, &services.password_hasher).await?.join(", ");
    if accounts.is_empty() {
        return Ok(());
    }
    if config.private {
        tracing::warn!(
            accounts,
            "these accounts have their username as the password: change it before other machines can reach the server"
        );
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Conflict,
        format!(
            "{}; these accounts have their username as the password: {accounts}. Change it with `guardianeye users \
             reset-password NAME`; GUARDIANEYE_ADMIN_PASSWORD also replaces the default password of admin",
            reachable_by_others(config)
        ),
    ))
}

/// The reason why the server does not start with a default password.
fn reachable_by_others(config: &Config) -> String {
    let address = config.listen.ip();
    if address.is_loopback() {
        return format!(
            "the server does not start: other machines can reach {address} through a trusted proxy (GUARDIANEYE_TRUSTED_PROXIES)"
        );
    }
    format!("the server does not start: other machines can reach {address} (GUARDIANEYE_HOST)")
}
