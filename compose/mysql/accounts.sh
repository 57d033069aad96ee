# Sourced by the MySQL image's entrypoint when it makes a new database, after the
# token tables. MYSQL_USER has every right on apimdb already; the rest is what
# the rig needs to wait for purge and to count with an exporter of its own. The
# table says that the testbed may replace the tables beside it.
docker_process_sql <<-EOSQL
	CREATE TABLE TOKEN_PERSISTENCE_TESTBED (CREATED TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
	GRANT PROCESS ON *.* TO 'testbed'@'%';
	GRANT SELECT ON performance_schema.* TO 'testbed'@'%';
	CREATE USER 'exporter'@'%' IDENTIFIED BY '$(cat /secrets/exporter)' WITH MAX_USER_CONNECTIONS 3;
EOSQL
