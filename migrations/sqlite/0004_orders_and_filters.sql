-- The further orders of lists, and the filters that a list is opened with.
create index ix_users_username_id on users (username, id);
create index ix_users_email_id on users (email, id);
create index ix_users_last_login_id on users (coalesce(last_login, '0001-01-01T00:00:00.000000Z'), id);
create index ix_sessions_updated_at_id on sessions (updated_at, id);
create index ix_sessions_user_id_updated_at_id on sessions (user_id, updated_at, id);
create index ix_audit_logs_action_timestamp_id on audit_logs (action, timestamp, id);
create index ix_audit_logs_failed on audit_logs (timestamp, id) where success = false;
create index ix_audit_logs_ip_address_timestamp_id on audit_logs (ip_address, timestamp, id);
