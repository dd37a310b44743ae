-- Within a span of time, entries are counted for each action, user and address by walking an index that begins with it.
-- Addresses get such an index here: that of their name, which now also finds the newest entries of an address at once.
drop index ix_audit_logs_ip_address;
create index ix_audit_logs_ip_address on audit_logs (ip_address, timestamp);

-- Failures are few, and counted from their own index alone.
drop index ix_audit_logs_failed;
create index ix_audit_logs_failed on audit_logs (timestamp, id) include (action, user_id, ip_address) where success = false;
