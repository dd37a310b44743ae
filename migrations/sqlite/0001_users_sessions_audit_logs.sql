-- The three tables of GuardianEye with their eleven indexes (three primary keys and eight named ones).
-- Ids are hyphenated lower-case text; times are RFC 3339 in UTC with six digits, so text order is time order.
create table users (
    id text primary key not null,
    username text not null check (length(username) <= 50),
    email text not null check (length(email) <= 255),
    hashed_password text not null check (length(hashed_password) <= 255),
    role text not null default 'viewer' check (role in ('viewer', 'analyst', 'admin')),
    is_active boolean not null default true check (is_active in (0, 1)),
    full_name text check (length(full_name) <= 255),
    created_at text not null,
    updated_at text not null,
    last_login text
);

create table sessions (
    id text primary key not null,
    user_id text not null references users (id) on delete cascade,
    thread_id text check (length(thread_id) <= 255),
    context text check (context is null or json_valid(context)),
    title text check (length(title) <= 255),
    is_active boolean not null default true check (is_active in (0, 1)),
    created_at text not null,
    updated_at text not null,
    ended_at text
);

create table audit_logs (
    id text primary key not null,
    user_id text references users (id) on delete set null,
    action text not null,
    details text check (details is null or json_valid(details)),
    description text,
    ip_address text check (length(ip_address) <= 45),
    user_agent text check (length(user_agent) <= 512),
    success boolean not null default true check (success in (0, 1)),
    timestamp text not null
);

-- The list of actions grows. A trigger can be replaced by a later migration; a check would mean a copy of the table.
create trigger audit_logs_action_is_known before insert on audit_logs
when new.action not in (
    'login', 'logout', 'failed_login', 'query_agent', 'agent_execution', 'user_created', 'user_updated',
    'user_deleted', 'session_created', 'session_ended', 'config_changed'
)
begin
    select raise(abort, 'unknown audit action');
end;

create unique index ix_users_username on users (username);
create unique index ix_users_email on users (email);
create index ix_sessions_user_id on sessions (user_id);
create index ix_sessions_thread_id on sessions (thread_id);
create index ix_audit_logs_user_id on audit_logs (user_id);
create index ix_audit_logs_action on audit_logs (action);
create index ix_audit_logs_timestamp on audit_logs (timestamp);
create index ix_audit_logs_ip_address on audit_logs (ip_address);
