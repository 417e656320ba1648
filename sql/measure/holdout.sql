-- Hold-out groups: who is left out of a campaign, so that its effect can be measured.

CREATE FUNCTION segmentation.holdout(key text, salt text, share double precision) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'holdout_wrapper';
COMMENT ON FUNCTION segmentation.holdout(text, text, double precision) IS
  'Whether a key is held out: whether the first 53 bits of sha256(salt, a zero byte, key), both in UTF-8, over '
  '2^53, are below share. Always the same for the same key and salt; groups with different salts are independent.';
