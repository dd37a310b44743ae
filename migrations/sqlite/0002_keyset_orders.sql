-- Every list is read in the order (time, id), alone or within one user; each such order has its index.
create index ix_users_created_at_id on users (created_at, id);
create index ix_sessions_created_at_id on sessions (created_at, id);
create index ix_sessions_user_id_created_at_id on sessions (user_id, created_at, id);
create index ix_audit_logs_timestamp_id on audit_logs (timestamp, id);
create index ix_audit_logs_user_id_timestamp_id on audit_logs (user_id, timestamp, id);
