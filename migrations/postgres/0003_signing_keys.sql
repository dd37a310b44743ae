-- The key pairs that sign access tokens, shared by all instances on this database. One of them is active.
create table signing_keys (
    kid uuid primary key,
    private_key bytea not null,
    public_key bytea not null,
    created_at timestamp with time zone not null,
    retired_at timestamp with time zone
);

create unique index ix_signing_keys_one_active on signing_keys ((retired_at is null)) where retired_at is null;
