-- What accounts stand on: logins with their refresh tokens, tokens for scripts, failed tries, answers kept for repeated
-- requests, and the further things that the audit log records. What the tables had before keeps its meaning.
alter type audit_action_enum add value if not exists 'password_changed';
alter type audit_action_enum add value if not exists 'token_created';
alter type audit_action_enum add value if not exists 'token_revoked';
alter type audit_action_enum add value if not exists 'token_reuse';
alter type audit_action_enum add value if not exists 'session_updated';
alter type audit_action_enum add value if not exists 'session_deleted';
alter type audit_action_enum add value if not exists 'access_denied';
alter type audit_action_enum add value if not exists 'limit_exceeded';

alter table users add column password_change_required boolean not null default false;
-- Found without regard to case. Not unique: a database that is taken over may break the rule, which new rows keep.
create index ix_users_lower_username on users (lower(username));
create index ix_users_lower_email on users (lower(email));

-- The name of who did it, as it was then: it outlives the user.
alter table audit_logs add column username varchar(50);

-- A login. Its access tokens name it, so it can be ended before they expire.
create table auth_sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamp with time zone not null,
    last_used_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    ip_address varchar(45) collate "C",
    user_agent varchar(512),
    revoked_at timestamp with time zone,
    -- With a refresh token it makes the token's successor; without the token it is worth nothing.
    successor_key bytea not null
);

create index ix_auth_sessions_user_id_created_at_id on auth_sessions (user_id, created_at, id);

-- Each refresh token of a login, as the SHA-256 of it. One of them is unused: the next.
create table refresh_tokens (
    token_hash bytea primary key,
    auth_session_id uuid not null references auth_sessions (id) on delete cascade,
    created_at timestamp with time zone not null,
    used_at timestamp with time zone
);

create index ix_refresh_tokens_auth_session_id on refresh_tokens (auth_session_id);

-- Tokens for scripts, as the SHA-256 of each.
create table api_tokens (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    name varchar(100) not null,
    -- Scopes, each followed by a space.
    scopes varchar(255) not null,
    created_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    token_hash bytea not null
);

create unique index ix_api_tokens_token_hash on api_tokens (token_hash);
create index ix_api_tokens_user_id_created_at_id on api_tokens (user_id, created_at, id);

-- Failed logins in a row: of an account from anywhere, of an account from one network, of all accounts from one network.
create table login_throttles (
    account varchar(64) not null,
    network varchar(50) not null,
    failures bigint not null,
    last_failure_at timestamp with time zone not null,
    blocked_until timestamp with time zone not null,
    primary key (account, network)
);

create index ix_login_throttles_last_failure_at on login_throttles (last_failure_at);

-- The answers of mutations that a client may send again (the header Idempotency-Key).
create table idempotency_keys (
    user_id uuid not null references users (id) on delete cascade,
    key varchar(255) not null,
    request_hash bytea not null,
    created_at timestamp with time zone not null,
    -- Absent while the first request is under way.
    answer text,
    primary key (user_id, key)
);

create index ix_idempotency_keys_created_at on idempotency_keys (created_at);
