//! The table of workspaces, `segmentation.workspace_registry`, which only this room writes.
//!
//! It belongs to the bootstrap superuser, and nobody but the installer, who restores dumps, has a right to write it. What
//! may be written about a schema, its owner may write: a trigger holds the installer to that as well.

use std::ffi::CString;

use pgrx::datum::DatumWithOid;
use pgrx::{PgSqlErrorCode, Spi, pg_sys};

use super::error::refuse;

/// The row of a schema. Rows of the same owner whose schema is gone go.
const REGISTER: &str = "
    WITH lost AS (
      DELETE FROM segmentation.workspace_registry AS r
      WHERE r.workspace OPERATOR(pg_catalog.<>) $1::pg_catalog.name
        AND r.owner OPERATOR(pg_catalog.=) (
          SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace AS n
          WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) r.workspace))
    INSERT INTO segmentation.workspace_registry AS r (workspace, owner, layout, key_type)
    SELECT n.nspname, pg_catalog.pg_get_userbyid(n.nspowner), $2, $3
    FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name
    ON CONFLICT (workspace) DO UPDATE
    SET owner = excluded.owner, layout = excluded.layout, key_type = excluded.key_type,
        registered_at = pg_catalog.now()";

const UNREGISTER: &str = "
    DELETE FROM segmentation.workspace_registry AS r WHERE r.workspace OPERATOR(pg_catalog.=) $1::pg_catalog.name";

/// Notes that a schema is a workspace, with who owns it now. The caller must own the schema.
pub fn register(workspace: &str, layout: i32, key_type: &str) {
    owned(workspace);
    // SAFETY: the values have the types that are named.
    let arguments = unsafe {
        [
            DatumWithOid::new(workspace, pg_sys::TEXTOID),
            DatumWithOid::new(layout, pg_sys::INT4OID),
            DatumWithOid::new(key_type, pg_sys::TEXTOID),
        ]
    };
    write(REGISTER, &arguments);
}

/// Notes that a schema is no workspace any more. The caller must own the schema.
pub fn unregister(workspace: &str) {
    owned(workspace);
    // SAFETY: the value has the type that is named.
    let arguments = unsafe { [DatumWithOid::new(workspace, pg_sys::TEXTOID)] };
    write(UNREGISTER, &arguments);
}

/// Asks with the rights of the caller.
fn owned(workspace: &str) {
    let name = CString::new(workspace).unwrap_or_default();
    // SAFETY: the name ends in a zero; both only look into the catalogues.
    let (schema, owned) = unsafe {
        let schema = pg_sys::get_namespace_oid(name.as_ptr(), true);
        let user = pg_sys::GetUserId();
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let owned = |schema| pg_sys::pg_namespace_ownercheck(schema, user);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let owned = |schema| pg_sys::object_ownercheck(pg_sys::NamespaceRelationId, schema, user);
        (schema, schema != pg_sys::InvalidOid && owned(schema))
    };
    if schema == pg_sys::InvalidOid {
        let code = PgSqlErrorCode::ERRCODE_INVALID_SCHEMA_NAME;
        refuse(code, format!("schema \"{workspace}\" does not exist"), "A workspace is a schema.");
    }
    if !owned {
        let code = PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
        refuse(
            code,
            format!("must be owner of schema \"{workspace}\""),
            "Only its owner says that it is a workspace.",
        );
    }
}

/// Runs one of the two statements above. They name everything with its schema, and no code but PostgreSQL's runs in
/// them: the table has a trigger of the extension's own, and a default of `now()`.
fn write(statement: &str, arguments: &[DatumWithOid]) {
    let _superuser = Superuser::begin();
    if let Err(error) = Spi::connect_mut(|client| client.update(statement, None, arguments).map(|_| ())) {
        pgrx::error!("the registry of workspaces was not written: {error}");
    }
}

/// The bootstrap superuser, until it is dropped: also when an error unwinds.
struct Superuser {
    user: pg_sys::Oid,
    context: i32,
}

impl Superuser {
    fn begin() -> Self {
        let mut before = Superuser { user: pg_sys::InvalidOid, context: 0 };
        // SAFETY: as PostgreSQL does it around what runs as another user.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut before.user, &mut before.context);
            let flags = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION;
            pg_sys::SetUserIdAndSecContext(
                pg_sys::Oid::from(pg_sys::BOOTSTRAP_SUPERUSERID),
                before.context | flags as i32,
            );
        }
        before
    }
}

impl Drop for Superuser {
    fn drop(&mut self) {
        // SAFETY: what was there before.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) };
    }
}
