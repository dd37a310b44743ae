-- The log is counted within a span of time, and searched in the order of time, by action, outcome, user and address. The
-- index of that order now holds them, so that the rows themselves, many pages away, are read for the answer only.
drop index ix_audit_logs_timestamp_id;
create index ix_audit_logs_timestamp_id on audit_logs (timestamp, id, action, success, user_id, ip_address);
