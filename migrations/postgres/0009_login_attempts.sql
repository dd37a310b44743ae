-- What a login attempt is held against: the networks that a user has logged in from, and counts of failures that are
-- found by a keyed hash of the name that was typed. The key is the server's own.
create table known_networks (
    user_id uuid not null references users (id) on delete cascade,
    network varchar(50) collate "C" not null,
    last_login_at timestamp with time zone not null,
    primary key (user_id, network)
);

insert into known_networks (user_id, network, last_login_at)
select user_id, network(set_masklen(ip_address::inet, case family(ip_address::inet) when 4 then 24 else 64 end))::text, max(created_at)
from auth_sessions where ip_address is not null group by 1, 2;

create table server_secrets (
    name varchar(50) primary key,
    value bytea not null,
    created_at timestamp with time zone not null
);

-- The counts so far are by account id, which the new ones are not: they begin anew. Waits follow from count and time.
delete from login_throttles;
alter table login_throttles drop column blocked_until;
alter table login_throttles rename column last_failure_at to counted_at;
alter index ix_login_throttles_last_failure_at rename to ix_login_throttles_counted_at;

-- Entries are found by the name of who did it.
create index ix_audit_logs_username on audit_logs (username, timestamp, id) where username is not null;
