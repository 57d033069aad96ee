-- What `exporter check` asks for on a new MySQL 8.4.8; written by `go test ./compose -update`.
GRANT SHOW VIEW ON `apimdb`.* TO 'exporter'@'%';
GRANT SELECT (UUID, EXPIRY_TIMESTAMP) ON `apimdb`.`AM_REVOKED_JWT`
  TO 'exporter'@'%';
GRANT SELECT (UUID, EXPIRY_TIMESTAMP) ON `apimdb`.`IDN_INVALID_TOKENS`
  TO 'exporter'@'%';
GRANT SELECT (TOKEN_ID, GRANT_TYPE, TIME_CREATED, TOKEN_STATE,
  VALIDITY_PERIOD, REFRESH_TOKEN_TIME_CREATED, REFRESH_TOKEN_VALIDITY_PERIOD)
  ON `apimdb`.`IDN_OAUTH2_ACCESS_TOKEN` TO 'exporter'@'%';
GRANT SELECT (CODE_ID, STATE, TIME_CREATED, VALIDITY_PERIOD)
  ON `apimdb`.`IDN_OAUTH2_AUTHORIZATION_CODE` TO 'exporter'@'%';
GRANT SELECT (SCHEMA_NAME, DIGEST, DIGEST_TEXT, FIRST_SEEN, LAST_SEEN,
  COUNT_STAR, SUM_TIMER_WAIT, SUM_LOCK_TIME, SUM_ROWS_EXAMINED,
  SUM_ROWS_AFFECTED, SUM_ERRORS)
  ON `performance_schema`.`events_statements_summary_by_digest`
  TO 'exporter'@'%';
GRANT SELECT (SUM_CPU_TIME)
  ON `performance_schema`.`events_statements_summary_by_digest`
  TO 'exporter'@'%';
GRANT SELECT (EVENT_NAME, COUNT_STAR, SUM_TIMER_WAIT, SUM_LOCK_TIME,
  SUM_ROWS_EXAMINED, SUM_ROWS_AFFECTED, SUM_ERRORS)
  ON `performance_schema`.`events_statements_summary_global_by_event_name`
  TO 'exporter'@'%';
GRANT SELECT (SUM_CPU_TIME)
  ON `performance_schema`.`events_statements_summary_global_by_event_name`
  TO 'exporter'@'%';
GRANT SELECT (NAME, ENABLED) ON `performance_schema`.`setup_consumers`
  TO 'exporter'@'%';
GRANT SELECT (NAME, ENABLED, TIMED)
  ON `performance_schema`.`setup_instruments` TO 'exporter'@'%';
GRANT SELECT (OBJECT_SCHEMA, OBJECT_NAME, COUNT_FETCH, COUNT_INSERT,
  COUNT_UPDATE, COUNT_DELETE, SUM_TIMER_FETCH, SUM_TIMER_INSERT,
  SUM_TIMER_UPDATE, SUM_TIMER_DELETE)
  ON `performance_schema`.`table_io_waits_summary_by_table` TO 'exporter'@'%';
