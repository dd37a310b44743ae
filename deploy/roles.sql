-- The PostgreSQL role of the server. It has the rights that the server needs, and cannot change or delete audit log entries, nor create
-- or change tables. Run this file as the owner of the tables after every `guardianeye db init`; it can be repeated:
--   psql --set ON_ERROR_STOP=1 --file deploy/roles.sql --host HOST --username OWNER DATABASE
-- Set the password of the role in psql with \password guardianeye_server.

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
-- This column is set when a user is deleted, which preserves the name in the log.
grant select, insert, update (username) on audit_logs to guardianeye_server;
grant select on _sqlx_migrations to guardianeye_server;
