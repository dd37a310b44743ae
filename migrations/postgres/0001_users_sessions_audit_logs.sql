-- The three tables of GuardianEye with their eleven indexes (three primary keys and eight named ones).
create type user_role_enum as enum ('viewer', 'analyst', 'admin');

create type audit_action_enum as enum (
    'login', 'logout', 'failed_login', 'query_agent', 'agent_execution', 'user_created', 'user_updated',
    'user_deleted', 'session_created', 'session_ended', 'config_changed'
);

create table users (
    id uuid primary key,
    username varchar(50) not null,
    email varchar(255) not null,
    hashed_password varchar(255) not null,
    role user_role_enum not null default 'viewer',
    is_active boolean not null default true,
    full_name varchar(255),
    created_at timestamp with time zone not null,
    updated_at timestamp with time zone not null,
    last_login timestamp with time zone
);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    thread_id varchar(255),
    context json,
    title varchar(255),
    is_active boolean not null default true,
    created_at timestamp with time zone not null,
    updated_at timestamp with time zone not null,
    ended_at timestamp with time zone
);

create table audit_logs (
    id uuid primary key,
    user_id uuid references users (id) on delete set null,
    action audit_action_enum not null,
    details json,
    description text,
    ip_address varchar(45),
    user_agent varchar(512),
    success boolean not null default true,
    timestamp timestamp with time zone not null
);

create unique index ix_users_username on users (username);
create unique index ix_users_email on users (email);
create index ix_sessions_user_id on sessions (user_id);
create index ix_sessions_thread_id on sessions (thread_id);
create index ix_audit_logs_user_id on audit_logs (user_id);
create index ix_audit_logs_action on audit_logs (action);
create index ix_audit_logs_timestamp on audit_logs (timestamp);
create index ix_audit_logs_ip_address on audit_logs (ip_address);
