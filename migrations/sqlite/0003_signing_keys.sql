-- The key pairs that sign access tokens, shared by all instances on this database. One of them is active.
create table signing_keys (
    kid text primary key not null,
    private_key blob not null,
    public_key blob not null,
    created_at text not null,
    retired_at text
);

create unique index ix_signing_keys_one_active on signing_keys ((retired_at is null)) where retired_at is null;
