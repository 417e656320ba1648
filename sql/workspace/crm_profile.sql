-- How a tool wants to be written to: one row a tool, every rule a cell. A cell that was not read in the tool's own
-- documentation is named in not_verified.

CREATE TABLE segmentation.crm_profile (
  profile text PRIMARY KEY CHECK (profile ~ '^[a-z][a-z0-9_]{0,62}$'),
  system text NOT NULL,
  built_in boolean NOT NULL DEFAULT false,
  format text NOT NULL DEFAULT 'csv' CHECK (format IN ('csv', 'json_lines', 'json')),
  separator text NOT NULL DEFAULT ',' CHECK (separator ~ '^[^"\r\n]$'),
  quoting text NOT NULL DEFAULT 'needed' CHECK (quoting IN ('needed', 'texts')),
  line_end text NOT NULL DEFAULT 'LF' CHECK (line_end IN ('LF', 'CRLF')),
  encoding text NOT NULL DEFAULT 'UTF8' CHECK (encoding IN ('UTF8', 'LATIN1', 'WIN1252')),
  bom boolean NOT NULL DEFAULT false CHECK (NOT bom OR encoding = 'UTF8'),
  null_token text NOT NULL DEFAULT '',
  never_null text[] NOT NULL DEFAULT '{}',
  empty_token text NOT NULL DEFAULT '""',
  true_token text NOT NULL DEFAULT 'true',
  false_token text NOT NULL DEFAULT 'false',
  day_format text NOT NULL DEFAULT 'YYYY-MM-DD',
  decimal_point text NOT NULL DEFAULT '.' CHECK (decimal_point IN ('.', ',')),
  phone text NOT NULL DEFAULT 'free' CHECK (phone IN ('free', 'plus', 'zeros')),
  line_breaks text NOT NULL DEFAULT 'keep' CHECK (line_breaks IN ('keep', 'space')),
  max_bytes bigint CHECK (max_bytes > 0),
  max_rows bigint CHECK (max_rows > 0),
  max_row_bytes bigint CHECK (max_row_bytes > 0),
  max_fields integer CHECK (max_fields > 0),
  max_text integer CHECK (max_text > 0),
  name_pattern text,
  key_pattern text,
  name_hint text,
  case_matters boolean NOT NULL DEFAULT true,
  forbidden_names text[] NOT NULL DEFAULT '{}',
  head text NOT NULL DEFAULT '',
  tail text NOT NULL DEFAULT '',
  row_head text NOT NULL DEFAULT '',
  row_tail text NOT NULL DEFAULT '',
  on_left text NOT NULL DEFAULT 'clear' CHECK (on_left IN ('keep', 'clear', 'unsubscribe', 'delete')),
  on_refused text NOT NULL DEFAULT 'unsubscribe' CHECK (on_refused IN ('clear', 'unsubscribe', 'delete')),
  on_gone text NOT NULL DEFAULT 'delete' CHECK (on_gone IN ('clear', 'unsubscribe', 'delete')),
  file_name text NOT NULL DEFAULT '{destination}_{instruction}_{batch}_{part}.csv',
  not_verified text[] NOT NULL DEFAULT '{}',
  about text NOT NULL
);
COMMENT ON TABLE segmentation.crm_profile IS
  'How each CRM or campaign tool wants its files: the built-in ones cannot be changed; copy a row under a new name, or '
  'give add_destination the cells that differ.';
COMMENT ON COLUMN segmentation.crm_profile.profile IS 'Name of the profile.';
COMMENT ON COLUMN segmentation.crm_profile.system IS
  'The tool, as a client knows it: salesforce, eloqua, ...; pull and braze_pull for tools that read the database '
  'themselves.';
COMMENT ON COLUMN segmentation.crm_profile.built_in IS 'Whether it came with the extension.';
COMMENT ON COLUMN segmentation.crm_profile.format IS
  'csv (RFC 4180), json_lines (one object a line) or json (one body: head, objects with commas between them, tail).';
COMMENT ON COLUMN segmentation.crm_profile.separator IS 'Between the fields of csv.';
COMMENT ON COLUMN segmentation.crm_profile.quoting IS
  'needed: values with a separator, a quote, a line break, a blank at an end, or that look like a token; texts: every '
  'text.';
COMMENT ON COLUMN segmentation.crm_profile.line_end IS 'At the end of every row.';
COMMENT ON COLUMN segmentation.crm_profile.encoding IS 'Of the file.';
COMMENT ON COLUMN segmentation.crm_profile.bom IS 'Whether the file begins with a byte order mark.';
COMMENT ON COLUMN segmentation.crm_profile.null_token IS 'What stands for no value: it erases an old one there.';
COMMENT ON COLUMN segmentation.crm_profile.never_null IS
  'Types (number, text, boolean, day, phone, email) whose fields must have a value: a mapping needs a default for '
  'them.';
COMMENT ON COLUMN segmentation.crm_profile.empty_token IS 'What stands for a text that is empty.';
COMMENT ON COLUMN segmentation.crm_profile.true_token IS 'What stands for true.';
COMMENT ON COLUMN segmentation.crm_profile.false_token IS 'What stands for false.';
COMMENT ON COLUMN segmentation.crm_profile.day_format IS 'Days, as to_char takes it.';
COMMENT ON COLUMN segmentation.crm_profile.decimal_point IS 'In numbers of csv.';
COMMENT ON COLUMN segmentation.crm_profile.phone IS
  'Fields of type phone: free, plus (+33612345678), zeros (0033612345678).';
COMMENT ON COLUMN segmentation.crm_profile.line_breaks IS 'Line breaks in texts: keep, as LF, or a space each.';
COMMENT ON COLUMN segmentation.crm_profile.max_bytes IS 'Most bytes of a file.';
COMMENT ON COLUMN segmentation.crm_profile.max_rows IS 'Most rows of a file, the header not counted.';
COMMENT ON COLUMN segmentation.crm_profile.max_row_bytes IS 'Most bytes of a row.';
COMMENT ON COLUMN segmentation.crm_profile.max_fields IS 'Most fields.';
COMMENT ON COLUMN segmentation.crm_profile.max_text IS 'Most characters of a text: longer ones are cut.';
COMMENT ON COLUMN segmentation.crm_profile.name_pattern IS 'A regular expression that names of fields have to match.';
COMMENT ON COLUMN segmentation.crm_profile.key_pattern IS 'The same for the name of the key.';
COMMENT ON COLUMN segmentation.crm_profile.name_hint IS 'What to do about a name that does not match.';
COMMENT ON COLUMN segmentation.crm_profile.case_matters IS 'Whether a name and NAME are two.';
COMMENT ON COLUMN segmentation.crm_profile.forbidden_names IS 'Names that may not be used.';
COMMENT ON COLUMN segmentation.crm_profile.head IS 'What a body of json begins with.';
COMMENT ON COLUMN segmentation.crm_profile.tail IS 'What a body of json ends with.';
COMMENT ON COLUMN segmentation.crm_profile.row_head IS 'What stands before the object of a row of json or json_lines.';
COMMENT ON COLUMN segmentation.crm_profile.row_tail IS 'What stands after it.';
COMMENT ON COLUMN segmentation.crm_profile.on_left IS
  'What is told of who left the audience: keep (nothing), clear (a row with no values), unsubscribe, delete.';
COMMENT ON COLUMN segmentation.crm_profile.on_refused IS
  'What is told of who has no consent any more, or is suppressed: clear, unsubscribe, delete.';
COMMENT ON COLUMN segmentation.crm_profile.on_gone IS
  'What is told of who is no customer any more, was erased, or has another key now: clear, unsubscribe, delete.';
COMMENT ON COLUMN segmentation.crm_profile.file_name IS
  'Name of a file: {destination}, {instruction}, {batch}, {part}, {day} (YYYYMMDD) are filled in.';
COMMENT ON COLUMN segmentation.crm_profile.not_verified IS
  'Columns of this table whose cell was not read in the tool''s documentation: try them before you rely on them.';
COMMENT ON COLUMN segmentation.crm_profile.about IS 'What it is for, and what the tool''s documentation says.';

INSERT INTO segmentation.crm_profile (
  profile, system, separator, line_end, null_token, empty_token, true_token, false_token, phone, max_bytes, max_rows,
  max_fields, max_text, name_pattern, key_pattern, name_hint, case_matters, forbidden_names, file_name, not_verified,
  about) VALUES
  ('salesforce', 'salesforce', ',', 'LF', '#N/A', '#N/A', 'true', 'false', 'free', 100000000, 100000000, NULL, NULL,
    '^([A-Za-z][A-Za-z0-9_]*\.)?[A-Za-z](_?[A-Za-z0-9])*(__c)?$', '(^Id|__c)$',
    'Fields of your own end in __c, as Churn__c, and so does an external id, which is the key of an upsert.',
    false, '{}',
    '{destination}_{instruction}_{batch}_{part}.csv', '{true_token,false_token,key_pattern,on_left,on_refused,on_gone}',
    'Salesforce, Bulk API 2.0: an empty field is left as it is, #N/A erases it; at most 100 MB an upload, as it is '
    'encoded to 150 MB. A delete job takes ids, so a list of external ids has to be looked up, or on_gone be clear.'),
  ('eloqua', 'eloqua', ',', 'LF', '', '', 'Yes', 'No', 'free', 32000000, NULL, 100, NULL,
    '^C_[A-Za-z0-9_]+$', '^C_[A-Za-z0-9_]+$',
    'The internal name of the contact field, as C_EmailAddress: the import says {{Contact.Field(C_EmailAddress)}}.',
    false, '{}', '{destination}_{instruction}_{batch}_{part}.csv',
    '{null_token,empty_token,true_token,false_token,case_matters,on_left,on_refused,on_gone}',
    'Oracle Eloqua, Bulk 2.0: at most 100 fields a definition and 32 MB a POST; whether an empty value erases is the '
    'updateRule of the import (always).'),
  ('actito', 'actito', ',', 'LF', '', '', 'TRUE', 'FALSE', 'plus', 100000000, NULL, NULL, 255, NULL, NULL, NULL,
    true, '{}', '{destination}_{instruction}_{day}_{batch}_{part}.csv',
    '{null_token,empty_token,false_token,case_matters,on_left,on_refused,on_gone}',
    'Actito, mass imports V5: RFC 4180, no byte order mark, at most 100 MB, texts of at most 255 characters; what an '
    'empty value does at an update is a setting there.'),
  ('splio', 'splio', ';', 'LF', '', '', '1', '0', 'zeros', NULL, 199999, NULL, 255, NULL, NULL,
    'Names are those defined in Splio, in small and capital letters: a file with an unknown one is skipped.',
    true, '{}',
    '{destination}_contacts_{instruction}_{day}_{batch}_{part}.csv',
    '{null_token,empty_token,true_token,false_token,day_format,on_left,on_refused,on_gone}',
    'Splio, contacts by SFTP: UTF-8 without byte order mark, no line breaks in values, at most 200,000 lines with the '
    'header. The name of a file begins with <universe>_contacts_: call the destination as the universe.'),
  ('selligent', 'selligent', ';', 'CRLF', '', '""', '1', '0', 'free', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    false, '{}', '{destination}_{instruction}_{batch}_{part}.csv',
    '{line_end,null_token,empty_token,true_token,false_token,day_format,case_matters,on_left,on_refused,on_gone}',
    'Selligent (Marigold Engage), import task: separator, names in the first row and quotes are options there. '
    'Engage+ is another product.'),
  ('adobe', 'adobe', ';', 'LF', '', '""', '1', '0', 'free', 4000000000, NULL, NULL, NULL, NULL, NULL, NULL,
    false, '{}', '{destination}_{instruction}_{batch}_{part}.csv',
    '{separator,line_end,true_token,false_token,max_bytes,case_matters,on_left,on_refused,on_gone}',
    'Adobe Campaign, Load file: flat text; an empty number is an error unless the column allows it; files that are '
    'zipped stay under 4 GB. Journey Optimizer is another thing: at most 50 MB.'),
  ('efficy', 'efficy', ';', 'CRLF', '', '""', '1', '0', 'free', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    false, '{}', '{destination}_{instruction}_{batch}_{part}.csv',
    '{format,separator,line_end,bom,null_token,empty_token,true_token,false_token,day_format,case_matters,on_left,'
    'on_refused,on_gone}',
    'Efficy: no specification of files is public; a generic CSV file. Name the product: Enterprise, Tribe or APSIS.'),
  ('hubspot', 'hubspot', ',', 'LF', '', '', 'true', 'false', 'free', 512000000, 1048575, NULL, NULL,
    '^[a-z][a-z0-9_]{0,99}$', NULL, 'The internal name of the property: small letters, digits and underscores.',
    true, '{}', '{destination}_{instruction}_{batch}_{part}.csv',
    '{null_token,empty_token,true_token,false_token,name_pattern,on_left,on_refused,on_gone}',
    'HubSpot, imports: under 512 MB and 1,048,576 rows with the header; dateFormat YEAR_MONTH_DAY. Whether an empty '
    'cell erases is not said.'),
  ('brevo', 'brevo', ';', 'LF', '', '', 'true', 'false', 'plus', 8000000, NULL, NULL, NULL,
    '^[A-Z][A-Z0-9_]{0,49}$', '^(EMAIL|SMS|EXT_ID)$',
    'Attributes have capital letters; the key is EMAIL, SMS or EXT_ID.', true, '{}',
    '{destination}_{instruction}_{batch}_{part}.csv',
    '{true_token,false_token,day_format,phone,name_pattern,key_pattern,on_left,on_refused,on_gone}',
    'Brevo, contacts/import, fileBody: at most 10 MB, 8 advised. Empty cells erase with emptyContactsAttributes '
    'true, else they are left as they are.'),
  ('braze', 'braze', ',', 'LF', '', '""', 'true', 'false', 'plus', 500000000, NULL, NULL, NULL, NULL,
    '^(external_id|braze_id|user_alias_name|email|phone)$',
    'The key of a Braze file is external_id, or an alias.', true, '{}',
    '{destination}_{instruction}_{batch}_{part}.csv',
    '{null_token,empty_token,phone,key_pattern,on_left,on_refused,on_gone}',
    'Braze, CSV of attributes: at most 500 MB; other headers become custom attributes.'),
  ('csv', 'csv', ',', 'LF', '', '""', 'true', 'false', 'free', NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, '{}',
    '{destination}_{instruction}_{batch}_{part}.csv', '{}',
    'Any tool that reads RFC 4180: an empty field is no value, "" an empty text.');
UPDATE segmentation.crm_profile SET line_breaks = 'space' WHERE profile = 'splio';
UPDATE segmentation.crm_profile SET never_null = '{number}', on_left = 'delete' WHERE profile = 'adobe';
-- A null cannot erase there as far as is known: who leaves is listed to be taken off.
UPDATE segmentation.crm_profile SET on_left = 'unsubscribe' WHERE profile IN ('eloqua', 'hubspot', 'actito', 'splio');
INSERT INTO segmentation.crm_profile (
  profile, system, format, null_token, empty_token, phone, max_bytes, max_rows, max_row_bytes, name_pattern,
  key_pattern, name_hint, head, tail, row_head, row_tail, on_left, on_refused, on_gone, file_name, not_verified, about)
VALUES
  ('klaviyo', 'klaviyo', 'json', 'null', '""', 'plus', 5000000, 10000, 100000,
    '^(email|phone_number|external_id|first_name|last_name|organization|locale|title|image|properties\.[^.]+)$',
    '^(email|phone_number|external_id)$',
    'email, phone_number, external_id, first_name, last_name and a few more; fields of your own are properties.<name>.',
    '{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[', ']}}}}',
    '{"type":"profile","attributes":', '}',
    'clear', 'unsubscribe', 'delete', '{destination}_{instruction}_{batch}_{part}.json',
    '{null_token,name_pattern,on_left,on_refused,on_gone}',
    'Klaviyo, profile-bulk-import-jobs: at most 10,000 profiles and 5 MB a body, 100 KB a profile. Whether null erases '
    'is not said.'),
  ('json_lines', 'json_lines', 'json_lines', 'null', '""', 'free', NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', '',
    'clear', 'unsubscribe', 'delete', '{destination}_{instruction}_{batch}_{part}.jsonl', '{}',
    'Any tool that reads JSON lines; a name with points is an object in an object.'),
  ('pull', 'pull', 'json_lines', 'null', '""', 'free', NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', '',
    'delete', 'delete', 'delete', '{destination}_{instruction}_{batch}_{part}.jsonl', '{}',
    'Tools that read the database themselves (Fivetran Activations, Hightouch, DinMo, n8n, dbt): the views audiences, '
    'people, memberships and crm_pull of the workspace.'),
  ('braze_pull', 'braze_pull', 'json_lines', 'null', '""', 'plus', NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', '',
    'clear', 'clear', 'clear', '{destination}_{instruction}_{batch}_{part}.jsonl', '{on_left,on_refused,on_gone}',
    'Braze Cloud Data Ingestion: the view braze with UPDATED_AT, EXTERNAL_ID, PAYLOAD. Who leaves gets nulls.');
UPDATE segmentation.crm_profile SET built_in = true;

CREATE FUNCTION segmentation_internal.crm_profile_protect() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' OR (TG_OP IN ('UPDATE', 'DELETE') AND OLD.built_in)
     OR (TG_OP IN ('INSERT', 'UPDATE') AND NEW.built_in) THEN
    RAISE EXCEPTION 'built-in profiles cannot be changed'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Copy the row under another name, or give add_destination the cells that differ.';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.crm_profile_protect() IS
  'trigger of crm_profile: keeps the built-in profiles as they are';
CREATE TRIGGER protect BEFORE INSERT OR UPDATE OR DELETE ON segmentation.crm_profile
  FOR EACH ROW EXECUTE FUNCTION segmentation_internal.crm_profile_protect();
COMMENT ON TRIGGER protect ON segmentation.crm_profile IS 'The built-in profiles cannot be changed.';
CREATE TRIGGER protect_all BEFORE TRUNCATE ON segmentation.crm_profile
  FOR EACH STATEMENT EXECUTE FUNCTION segmentation_internal.crm_profile_protect();
COMMENT ON TRIGGER protect_all ON segmentation.crm_profile IS 'The built-in profiles cannot be removed.';
SELECT pg_catalog.pg_extension_config_dump('segmentation.crm_profile', 'WHERE NOT built_in');

-- How values are written

CREATE FUNCTION segmentation_internal.crm_phone(value text, form text, country text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT CASE WHEN form = 'free' THEN value
      WHEN n.number ~ '^\+[1-9][0-9]{6,14}$'
      THEN CASE form WHEN 'zeros' THEN '00' || substr(n.number, 2) ELSE n.number END END
    FROM (
      SELECT CASE
        WHEN d.digits ~ '^00' THEN '+' || substr(d.digits, 3)
        WHEN d.digits ~ '^0' AND country IS NOT NULL THEN '+' || country || substr(d.digits, 2)
        ELSE d.digits END AS number
      FROM (SELECT regexp_replace(replace(value, '(0)', ''), '[^0-9+]', '', 'g') AS digits) AS d) AS n);
COMMENT ON FUNCTION segmentation_internal.crm_phone(text, text, text) IS
  'Part of crm_sync: a phone number with its country in front, by + or by 00; NULL if it is none. A number that begins '
  'with one 0 is of the given country.';

CREATE FUNCTION segmentation_internal.crm_number(value numeric, digits integer) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN NOT value IN ('NaN', 'Infinity', '-Infinity') THEN trim_scale(round(value, digits))::text END;
COMMENT ON FUNCTION segmentation_internal.crm_number(numeric, integer) IS
  'Part of crm_sync: a number with so many digits after the point, no more than it needs; NULL if it is not finite.';

-- What a value is written as in JSON; an expression over its text.
CREATE FUNCTION segmentation_internal.crm_cell_sql(type text, expression text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(NULL, CASE WHEN type IN ('number', 'boolean') THEN $q$coalesce(@(e)@, 'null')$q$
    ELSE $q$coalesce(to_json(@(e)@)::text, 'null')$q$ END, jsonb_build_object('e', expression));
COMMENT ON FUNCTION segmentation_internal.crm_cell_sql(text, text) IS
  'Part of crm_sync: how a value of a type is written in JSON, as SQL over its text.';

CREATE FUNCTION segmentation_internal.crm_csv_line(
  cells text[], kinds text, separator text, quoting text, line_breaks text, null_token text, empty_token text,
  decimal_point text, max_text integer
) RETURNS text
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20
  AS 'MODULE_PATHNAME', 'crm_csv_line_wrapper';
COMMENT ON FUNCTION segmentation_internal.crm_csv_line(text[], text, text, text, text, text, text, text, integer) IS
  'Part of crm_sync: a row of csv under the cells of a profile; kinds has a letter for each value: t for text, n for a '
  'number, p for what is written as it is.';
