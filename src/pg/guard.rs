//! Looking into what belongs to a role that the caller does not trust.
//!
//! Whoever reads a table runs what its owner hung on it: a view or a policy in its place, the cast of a key, the
//! expression of an index that the planner folds. So a function that looks into a workspace of others has the clause
//! `SET segmentation.guard = on`, and asks [`look`] first. From then until it returns nothing is read but the tables
//! that were checked, the catalogues and the extension's own, and nothing runs but what a superuser owns. The check
//! finds what is there and names it. The guard, three hooks of PostgreSQL, holds whatever comes between the check and the
//! use: an index can be made, and a schema renamed, beside a lock on a table.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, IntoDatum, PgList, PgSqlErrorCode, pg_sys};

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;

use super::error::refuse;

static GUARD: GucSetting<bool> = GucSetting::<bool>::new(false);
static TRUSTED: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

static ACCESS_BEFORE: OnceLock<pg_sys::object_access_hook_type> = OnceLock::new();
static PERMS_BEFORE: OnceLock<pg_sys::ExecutorCheckPerms_hook_type> = OnceLock::new();
static ANALYZE_BEFORE: OnceLock<pg_sys::post_parse_analyze_hook_type> = OnceLock::new();

thread_local! {
    /// The tables that [`look`] found in order.
    static CHECKED: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
}

/// Defines the settings and installs the hooks, once a process.
pub(super) fn install() {
    GucRegistry::define_bool_guc(
        c"segmentation.guard",
        c"Whether only checked tables and functions of superusers are used.",
        c"Functions that look into a workspace set it for themselves.",
        &GUARD,
        GucContext::Userset,
        GucFlags::NO_SHOW_ALL | GucFlags::DISALLOW_IN_FILE,
    );
    GucRegistry::define_string_guc(
        c"segmentation.trusted_workspaces",
        c"Workspaces of others whose owner's code may run with your rights when you read them.",
        c"Names with commas between them. A value that was given to the database does not count.",
        &TRUSTED,
        GucContext::Userset,
        GucFlags::empty(),
    );
    // SAFETY: a process of the server has one thread; each hook calls the one that was there.
    unsafe {
        if ACCESS_BEFORE.set(pg_sys::object_access_hook).is_ok() {
            pg_sys::object_access_hook = Some(on_access);
        }
        if PERMS_BEFORE.set(pg_sys::ExecutorCheckPerms_hook).is_ok() {
            pg_sys::ExecutorCheckPerms_hook = Some(on_permissions);
        }
        if ANALYZE_BEFORE.set(pg_sys::post_parse_analyze_hook).is_ok() {
            pg_sys::post_parse_analyze_hook = Some(on_analyzed);
        }
    }
}

/// Whether the guard is up.
pub fn is_up() -> bool {
    GUARD.get()
}

/// Lets the guard down until the function whose clause put it up returns.
pub fn let_down() {
    // SAFETY: a setting of our own, to a value that it accepts. LOCAL: the clause of the function restores it.
    unsafe {
        pg_sys::set_config_option(
            c"segmentation.guard".as_ptr(),
            c"off".as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_LOCAL,
            true,
            0,
            false,
        );
    }
}

/// Locks the tables of a workspace that are to be read, and those to be written, after asking for the caller's right
/// to each; then has `segmentation_internal.workspace_fault` look at them as they are now, not as the query's snapshot shows
/// them. Returns what is not in order; if nothing is, the guard lets these tables pass.
pub fn look(workspace: &str, reads: &[String], writes: &[String]) -> Option<String> {
    CHECKED.take();
    // SAFETY: names end in a zero; PostgreSQL's own errors come as panics, and the abort that follows takes the snapshot
    // and the locks back.
    unsafe {
        let schema = pg_sys::LookupExplicitNamespace(zero_terminated(workspace).as_ptr(), false);
        let lock = |table: &String, right: u32, mode| {
            // Of 64 bits since PostgreSQL 16.
            #[allow(clippy::useless_conversion)]
            let right = pg_sys::AclMode::from(right);
            let name = zero_terminated(table);
            let relation = pg_sys::get_relname_relid(name.as_ptr(), schema);
            if relation == pg_sys::InvalidOid {
                return Err(format!("it has no table \"{table}\""));
            }
            let user = pg_sys::GetUserId();
            if pg_sys::pg_class_aclcheck(relation, user, right) != pg_sys::AclResult::ACLCHECK_OK
                && pg_sys::pg_attribute_aclcheck_all(relation, user, right, pg_sys::AclMaskHow::ACLMASK_ANY)
                    != pg_sys::AclResult::ACLCHECK_OK
            {
                let kind = pg_sys::get_relkind_objtype(pg_sys::get_rel_relkind(relation));
                pg_sys::aclcheck_error(pg_sys::AclResult::ACLCHECK_NO_PRIV, kind, name.as_ptr());
            }
            pg_sys::LockRelationOid(relation, mode as pg_sys::LOCKMODE);
            Ok(relation)
        };
        let read = reads.iter().map(|table| lock(table, pg_sys::ACL_SELECT, pg_sys::AccessShareLock));
        let read = match read.collect::<Result<Vec<_>, _>>() {
            Ok(read) => read,
            Err(fault) => return Some(fault),
        };
        let written = writes.iter().map(|table| lock(table, pg_sys::ACL_INSERT, pg_sys::RowExclusiveLock));
        let written = match written.collect::<Result<Vec<_>, _>>() {
            Ok(written) => written,
            Err(fault) => return Some(fault),
        };
        pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
        let fault = fault_of(workspace, &read, &written);
        pg_sys::PopActiveSnapshot();
        if fault.is_none() {
            CHECKED.replace([read, written].concat());
        }
        fault
    }
}

/// What `segmentation_internal.workspace_fault` says, under the active snapshot.
///
/// # Safety
/// A snapshot is active.
unsafe fn fault_of(workspace: &str, read: &[pg_sys::Oid], written: &[pg_sys::Oid]) -> Option<String> {
    let query = c"SELECT segmentation_internal.workspace_fault($1, $2, $3)";
    let mut types = [pg_sys::TEXTOID, pg_sys::OIDARRAYOID, pg_sys::OIDARRAYOID];
    let arguments = [workspace.into_datum(), read.to_vec().into_datum(), written.to_vec().into_datum()];
    let mut values = arguments.map(|argument| argument.unwrap_or(pg_sys::Datum::null()));
    pgrx::Spi::connect(|_| {
        // SAFETY: SPI is connected; the arguments have their types; the text is copied before SPI is left.
        unsafe {
            let nulls = std::ptr::null();
            pg_sys::SPI_execute_with_args(
                query.as_ptr(),
                3,
                types.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls,
                true,
                1,
            );
            let table = pg_sys::SPI_tuptable;
            if pg_sys::SPI_processed != 1 || table.is_null() {
                return Some("it could not be looked at".into());
            }
            let fault = pg_sys::SPI_getvalue(*(*table).vals, (*table).tupdesc, 1);
            (!fault.is_null()).then(|| CStr::from_ptr(fault).to_string_lossy().into_owned())
        }
    })
}

fn zero_terminated(name: &str) -> CString {
    CString::new(name).unwrap_or_default()
}

/// Called before a function of an expression is first run.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn on_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    part: std::ffi::c_int,
    argument: *mut std::ffi::c_void,
) {
    // SAFETY: called by PostgreSQL, with what it passes on.
    unsafe {
        if let Some(Some(before)) = ACCESS_BEFORE.get() {
            pg_guard_ffi_boundary(|| before(access, class, object, part, argument));
        }
        if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE && GUARD.get() {
            let owner = owner_of_function(object);
            if !pg_sys::superuser_arg(owner) {
                refuse(
                    PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                    format!("function {} is not run here", name_of(pg_sys::get_func_name(object))),
                    "It is code of another role and would run with your rights.",
                );
            }
        }
    }
}

/// Called with a query as it was written: its names stand for relations from here on, and these are locked; nothing is
/// planned yet, which may do much for a view or a foreign table.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn on_analyzed(
    state: *mut pg_sys::ParseState,
    query: *mut pg_sys::Query,
    jumbled: *mut pg_sys::JumbleState,
) {
    // SAFETY: called by PostgreSQL, with what it passes on.
    unsafe {
        if let Some(Some(before)) = ANALYZE_BEFORE.get() {
            pg_guard_ffi_boundary(|| before(state, query, jumbled));
        }
        if GUARD.get() {
            let mut found = pg_sys::InvalidOid;
            find_unchecked(query.cast(), (&raw mut found).cast());
            if found != pg_sys::InvalidOid {
                refuse_relation(found);
            }
        }
    }
}

/// Finds a relation that may not be read, anywhere in a query: context is where its OID goes.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn find_unchecked(node: *mut pg_sys::Node, context: *mut std::ffi::c_void) -> bool {
    // SAFETY: called with nodes of a query; a node begins with its kind.
    unsafe {
        if node.is_null() {
            return false;
        }
        match (*node).type_ {
            pg_sys::NodeTag::T_RangeTblEntry => {
                let entry = node.cast::<pg_sys::RangeTblEntry>();
                let unchecked =
                    (*entry).rtekind == pg_sys::RTEKind::RTE_RELATION && !may_read((*entry).relid);
                if unchecked {
                    *context.cast() = (*entry).relid;
                }
                unchecked
            }
            pg_sys::NodeTag::T_Query => {
                let flags = pg_sys::QTW_EXAMINE_RTES_BEFORE as i32;
                pg_sys::query_tree_walker(node.cast(), Some(find_unchecked), context, flags)
            }
            _ => pg_sys::expression_tree_walker(node, Some(find_unchecked), context),
        }
    }
}

/// Called with the relations of a query before it is run: with those of its views too, and with children.
#[cfg(any(feature = "pg14", feature = "pg15"))]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn on_permissions(relations: *mut pg_sys::List, raises: bool) -> bool {
    // SAFETY: called by PostgreSQL, with what it passes on.
    unsafe {
        let before = PERMS_BEFORE.get().copied().flatten();
        before.is_none_or(|before| pg_guard_ffi_boundary(|| before(relations, raises)))
            && permitted(relations, raises)
    }
}

/// The same; the rights that are asked for are a list of their own since PostgreSQL 16.
#[cfg(not(any(feature = "pg14", feature = "pg15")))]
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn on_permissions(
    relations: *mut pg_sys::List,
    rights: *mut pg_sys::List,
    raises: bool,
) -> bool {
    // SAFETY: called by PostgreSQL, with what it passes on.
    unsafe {
        let before = PERMS_BEFORE.get().copied().flatten();
        before.is_none_or(|before| pg_guard_ffi_boundary(|| before(relations, rights, raises)))
            && permitted(relations, raises)
    }
}

/// # Safety
/// A list of range table entries, within a transaction.
unsafe fn permitted(relations: *mut pg_sys::List, raises: bool) -> bool {
    // The leader has asked for its workers.
    // SAFETY: as the function's.
    unsafe {
        if !GUARD.get() || pg_sys::ParallelWorkerNumber >= 0 {
            return true;
        }
        for entry in PgList::<pg_sys::RangeTblEntry>::from_pg(relations).iter_ptr() {
            // A view is the subquery that it stands for since PostgreSQL 16, with its own number still.
            let relation = match (*entry).rtekind {
                pg_sys::RTEKind::RTE_RELATION | pg_sys::RTEKind::RTE_SUBQUERY => (*entry).relid,
                _ => pg_sys::InvalidOid,
            };
            if relation == pg_sys::InvalidOid || may_read(relation) {
                continue;
            }
            if !raises {
                return false;
            }
            refuse_relation(relation);
        }
        true
    }
}

/// # Safety
/// Within a transaction.
unsafe fn refuse_relation(relation: pg_sys::Oid) -> ! {
    // SAFETY: looks into the catalogues only.
    let name = unsafe { name_of(pg_sys::get_rel_name(relation)) };
    refuse(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("relation {name} is not read here"),
        "It was not among the tables that were looked at: it may be code of another role.",
    );
}

/// # Safety
/// Within a transaction.
unsafe fn may_read(relation: pg_sys::Oid) -> bool {
    // SAFETY: looks into the catalogues only.
    unsafe {
        pg_sys::get_rel_namespace(relation) == pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE)
            || CHECKED.with_borrow(|checked| checked.contains(&relation))
            || {
                let ours = pg_sys::get_extension_oid(c"segmentation".as_ptr(), true);
                ours != pg_sys::InvalidOid
                    && pg_sys::getExtensionOfObject(pg_sys::RelationRelationId, relation) == ours
            }
    }
}

/// # Safety
/// Within a transaction.
unsafe fn owner_of_function(function: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: the tuple is released after the copy of a value by value.
    unsafe {
        let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
        let tuple = pg_sys::SearchSysCache1(cache, function.into());
        if tuple.is_null() {
            return pg_sys::InvalidOid;
        }
        let mut null = false;
        let owner = pg_sys::SysCacheGetAttr(cache, tuple, pg_sys::Anum_pg_proc_proowner as i16, &mut null);
        pg_sys::ReleaseSysCache(tuple);
        pg_sys::Oid::from(owner.value() as u32)
    }
}

/// # Safety
/// Null, or a string of PostgreSQL's.
unsafe fn name_of(name: *const std::ffi::c_char) -> String {
    if name.is_null() {
        return "that was dropped".into();
    }
    // SAFETY: it ends in a zero.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}
