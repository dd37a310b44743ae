-- What accounts stand on: logins with their refresh tokens, tokens for scripts, failed tries, answers kept for repeated
-- requests, and the further things that the audit log records. What the tables had before keeps its meaning.
drop trigger audit_logs_action_is_known;

create trigger audit_logs_action_is_known before insert on audit_logs
when new.action not in (
    'login', 'logout', 'failed_login', 'query_agent', 'agent_execution', 'user_created', 'user_updated',
    'user_deleted', 'session_created', 'session_ended', 'config_changed', 'password_changed', 'token_created',
    'token_revoked', 'token_reuse', 'session_updated', 'session_deleted', 'access_denied', 'limit_exceeded'
)
begin
    select raise(abort, 'unknown audit action');
end;

alter table users add column password_change_required boolean not null default false;
-- Found without regard to case. Not unique: a database that is taken over may break the rule, which new rows keep.
create index ix_users_lower_username on users (lower(username));
create index ix_users_lower_email on users (lower(email));

-- The name of who did it, as it was then: it outlives the user.
alter table audit_logs add column username text check (length(username) <= 50);

-- A login. Its access tokens name it, so it can be ended before they expire.
create table auth_sessions (
    id text primary key not null,
    user_id text not null references users (id) on delete cascade,
    created_at text not null,
    last_used_at text not null,
    expires_at text not null,
    ip_address text check (length(ip_address) <= 45),
    user_agent text check (length(user_agent) <= 512),
    revoked_at text,
    -- With a refresh token it makes the token's successor; without the token it is worth nothing.
    successor_key blob not null
);

create index ix_auth_sessions_user_id_created_at_id on auth_sessions (user_id, created_at, id);

-- Each refresh token of a login, as the SHA-256 of it. One of them is unused: the next.
create table refresh_tokens (
    token_hash blob primary key not null,
    auth_session_id text not null references auth_sessions (id) on delete cascade,
    created_at text not null,
    used_at text
);

create index ix_refresh_tokens_auth_session_id on refresh_tokens (auth_session_id);

-- Tokens for scripts, as the SHA-256 of each.
create table api_tokens (
    id text primary key not null,
    user_id text not null references users (id) on delete cascade,
    name text not null check (length(name) <= 100),
    -- Scopes, each followed by a space.
    scopes text not null check (length(scopes) <= 255),
    created_at text not null,
    expires_at text not null,
    last_used_at text,
    revoked_at text,
    token_hash blob not null
);

create unique index ix_api_tokens_token_hash on api_tokens (token_hash);
create index ix_api_tokens_user_id_created_at_id on api_tokens (user_id, created_at, id);

-- Failed logins in a row: of an account from anywhere, of an account from one network, of all accounts from one network.
create table login_throttles (
    account text not null check (length(account) <= 64),
    network text not null check (length(network) <= 50),
    failures integer not null,
    last_failure_at text not null,
    blocked_until text not null,
    primary key (account, network)
);

create index ix_login_throttles_last_failure_at on login_throttles (last_failure_at);

-- The answers of mutations that a client may send again (the header Idempotency-Key).
create table idempotency_keys (
    user_id text not null references users (id) on delete cascade,
    key text not null check (length(key) <= 255),
    request_hash blob not null,
    created_at text not null,
    -- Absent while the first request is under way.
    answer text,
    primary key (user_id, key)
);

create index ix_idempotency_keys_created_at on idempotency_keys (created_at);
