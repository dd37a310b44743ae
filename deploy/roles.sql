-- The role that the server uses on PostgreSQL: it can do all that the server does, and neither change nor delete an audit log
-- entry, nor create or change tables. Run as the owner of the tables, after every `guardianeye db init`; repeating it does no harm:
--   psql --set ON_ERROR_STOP=1 --file deploy/roles.sql --host HOST --username OWNER DATABASE
-- The role can log in when it has a password: \password guardianeye_server in psql sets it.

do $$
begin
    if not exists (select from pg_roles where rolname = 'guardianeye_server') then
        create role guardianeye_server login;
    end if;
end
$$;

grant select, insert, update, delete on users, sessions, auth_sessions, refresh_tokens, api_tokens, known_networks,
    login_throttles, idempotency_keys, signing_keys to guardianeye_server;
grant select, insert on server_secrets to guardianeye_server;
-- The one column is filled when a user is deleted, so that the name stays in the log.
grant select, insert, update (username) on audit_logs to guardianeye_server;
grant select on _sqlx_migrations to guardianeye_server;
