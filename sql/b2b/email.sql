-- E-mail addresses.

CREATE FUNCTION segmentation.email_domain(email text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'email_domain_wrapper';
CREATE FUNCTION segmentation.email_is_role(email text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'email_is_role_wrapper';
CREATE FUNCTION segmentation.is_freemail(email_or_domain text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'is_freemail_wrapper';
CREATE FUNCTION segmentation.email_is_disposable(email_or_domain text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'email_is_disposable_wrapper';
COMMENT ON FUNCTION segmentation.email_is_disposable(text) IS
  'Whether an e-mail address or domain is of a provider of addresses to throw away (yopmail.com, ...); NULL if it is '
  'neither.';
CREATE FUNCTION segmentation.registered_domain(email_or_domain text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'registered_domain_wrapper';
COMMENT ON FUNCTION segmentation.registered_domain(text) IS
  'What somebody registered of an e-mail address''s domain, or of a domain: example.co.uk of mail.example.co.uk. '
  'NULL if it is neither, or a public suffix (co.uk).';
COMMENT ON FUNCTION segmentation.email_domain(text) IS
  'The domain of an e-mail address in its one form: small letters, composed, no punycode (UTS 46); NULL if it is not '
  'an address.';
COMMENT ON FUNCTION segmentation.email_is_role(text) IS
  'Whether an e-mail address belongs to a role (contact, compta, no-reply, ...) and not to a person; NULL if it is '
  'not an address.';
COMMENT ON FUNCTION segmentation.is_freemail(text) IS
  'Whether an e-mail address or domain is of a provider for private persons (gmail.com, orange.fr, ...); NULL if it '
  'is neither.';
