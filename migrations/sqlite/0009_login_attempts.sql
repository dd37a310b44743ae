-- What a login attempt is held against: the networks that a user has logged in from, and counts of failures that are
-- found by a keyed hash of the name that was typed. The key is the server's own.
create table known_networks (
    user_id text not null references users (id) on delete cascade,
    network text not null check (length(network) <= 50),
    last_login_at text not null,
    primary key (user_id, network)
);

-- Networks of IPv6 cannot be computed here; they are known again after the next login.
insert into known_networks (user_id, network, last_login_at)
select user_id, rtrim(ip_address, '0123456789') || '0/24', max(created_at)
from auth_sessions where ip_address like '%.%.%.%' and ip_address not like '%:%' group by 1, 2;

create table server_secrets (
    name text primary key not null check (length(name) <= 50),
    value blob not null,
    created_at text not null
);

-- The counts so far are by account id, which the new ones are not: they begin anew. Waits follow from count and time.
delete from login_throttles;
alter table login_throttles drop column blocked_until;
alter table login_throttles rename column last_failure_at to counted_at;
drop index ix_login_throttles_last_failure_at;
create index ix_login_throttles_counted_at on login_throttles (counted_at);

-- Entries are found by the name of who did it.
create index ix_audit_logs_username on audit_logs (username, timestamp, id) where username is not null;
