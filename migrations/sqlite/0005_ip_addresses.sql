-- SQLite compares texts by code points anyway. The entries of one address are few enough to be sorted when they are read.
drop index ix_audit_logs_ip_address_timestamp_id;
