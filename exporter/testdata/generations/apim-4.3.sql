-- API Manager 4.3 as first released: IDN_INVALID_TOKENS without the index that
-- carbon-apimgt added after its first performance test (pull request 12435).
ALTER TABLE IDN_INVALID_TOKENS DROP INDEX IDX_TOKEN_CONSUMER;
