//! `guardianeye serve`.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use crate::{
    auth::HashCost,
    clock::Clock,
    config::{Common, Config, HttpSettings, ServeArgs},
    db::{self, Db, Exposed, Settings},
    error::{Error, ErrorCode, Result},
    graphql::Api,
    http::{self, App, StopSignal},
    ops::first_admin::{self, Chosen, FirstAdmin},
    services::Services,
};

pub async fn run(common: &Common, args: ServeArgs) -> Result<ExitCode> {
    let config = Config::new(args).map_err(|sentence| Error::new(ErrorCode::BadUserInput, sentence))?;
    let settings = Settings {
        max_connections: config.limits.database_connections,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Some(config.limits.statement_timeout),
        create: true,
    };
    let db = super::connect(common, settings).await?;
    prepare(common, &db, &config).await?;
    close_files_to_others(&db);
    let services = Services::new(db.clone(), Clock::System, config.limits, HashCost::Owasp).await?;
    if !config.private && config.admin_password.is_none() && first_admin::is_missing(&db).await? {
        return Err(Error::new(
            ErrorCode::Conflict,
            format!(
                "{} while the first admin would have a password that everybody knows: choose one by GUARDIANEYE_ADMIN_PASSWORD",
                refusal(&config)
            ),
        ));
    }
    let chosen = config
        .admin_password
        .clone()
        .map(|password| Chosen { password, min_length: config.limits.accounts.password_min_length });
    let operator = super::operator::operator();
    match first_admin::ensure(&db, &services.password_hasher, services.clock, chosen, operator.as_ref()).await? {
        FirstAdmin::Created(admin) => tracing::warn!(username = admin.username, "created the first admin"),
        FirstAdmin::PasswordReplaced => tracing::warn!("replaced the first admin's default password by the one given"),
        FirstAdmin::Untouched => {}
    }
    refuse_default_passwords(&services, &config).await?;

    let signal = StopSignal::listen().map_err(Error::internal)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|cause| Error::internal(cause).told(format!("cannot listen on {}", config.listen)))?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let database = format!("{} {}", db.kind(), db.server_version().await?);
    let page = if http::console_is_embedded() { "the console" } else { "GraphiQL" };
    tracing::info!(database, "listening on http://{address} - GraphQL at /graphql, {page} at /");
    if !http::console_is_embedded() {
        tracing::warn!(
            "built without the console: / shows GraphiQL from a public CDN; `make web` and a new build bring it"
        );
    }
    if !config.listen.ip().is_loopback() {
        tell_about_plain_http(&config.http);
    }
    let settings = Arc::new(config.http);
    let detached = services.detached.clone();
    let app = App { api: Api::default(), services: Arc::new(services), http: Arc::clone(&settings) };
    http::serve(listener, app.router(), &settings, &detached, signal.received()).await;
    db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn tell_about_plain_http(settings: &HttpSettings) {
    if settings.allow_plain_http {
        tracing::warn!("passwords and tokens are taken over plain HTTP: see that only this machine reaches the port");
    } else if settings.trusted_proxies.is_empty() {
        tracing::warn!(
            "other machines cannot log in over plain HTTP: put a proxy with TLS in front and trust it, or allow plain HTTP"
        );
    }
}

fn close_files_to_others(db: &Db) {
    for Exposed { file, mode, closed } in db::close_to_others(db) {
        let (file, mode) = (file.display(), format!("{mode:04o}"));
        if closed {
            tracing::warn!(%file, mode, "other users could read this database file: its mode is 0600 from now on");
        } else {
            tracing::warn!(%file, mode, "other users can read this file, which may hold password hashes and keys: chmod 600");
        }
    }
}

/// SQLite is embedded, so nobody else brings its tables up to date; on PostgreSQL that is a decision.
async fn prepare(common: &Common, db: &Db, config: &Config) -> Result<()> {
    if !db.needs_operator() || config.migrate {
        // Without the statement timeout of the server's own connections.
        let admin = super::connect(common, Settings::default()).await?;
        let done = admin.migrate().await;
        admin.close().await;
        return done;
    }
    if db.is_migrated().await? {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Conflict,
        "the database's tables are missing or out of date: run `guardianeye db init`, or `guardianeye serve --migrate`",
    ))
}

async fn refuse_default_passwords(services: &Services, config: &Config) -> Result<()> {
    let accounts = first_admin::with_default_password(&services.db, &services.password_hasher).await?.join(", ");
    if accounts.is_empty() {
        return Ok(());
    }
    if config.private {
        tracing::warn!(
            accounts,
            "these accounts still have the user name as password: change it before others can log in"
        );
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Conflict,
        format!(
            "{}: these accounts still have the user name as password: {accounts}. Change it with `guardianeye users \
             reset-password NAME`; that of admin can also be replaced by GUARDIANEYE_ADMIN_PASSWORD",
            refusal(config)
        ),
    ))
}

/// Why a server does not start with a password that everybody knows: others can reach it.
fn refusal(config: &Config) -> String {
    let address = config.listen.ip();
    if address.is_loopback() {
        return format!("will not serve behind a proxy, by which others reach {address} (GUARDIANEYE_TRUSTED_PROXIES)");
    }
    format!("will not serve on {address}, where others reach it (GUARDIANEYE_HOST)")
}
