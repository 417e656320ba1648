//! Whether a text is one SQL expression over the columns of some relations, and nothing more: by PostgreSQL's own
//! parser, which knows where a text, a comment and a statement end.
//!
//! What is accepted gives the same result for the same row in whatever session, and runs nobody's code: functions,
//! operators and types are PostgreSQL's own or this extension's, none is volatile, and nothing depends on the clock, the
//! session or its time zone.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::AssertUnwindSafe;
use std::ptr;

use pgrx::pg_sys::panic::{CaughtError, ErrorReport};
use pgrx::{PgList, PgLogLevel, PgSqlErrorCode, PgTryBuilder, pg_sys};

/// What stands before an expression in the statements that are parsed, and is no part of its positions.
const BEFORE: [&str; 2] = ["SELECT ", "SELECT ("];

/// Functions that are stable only because of a setting of how dates, numbers or money are written.
const STABLE: [&str; 14] = [
    "anytextcat",
    "array_to_string",
    "concat",
    "concat_ws",
    "format",
    "jsonb_build_array",
    "jsonb_build_object",
    "money",
    "numeric",
    "textanycat",
    "to_char",
    "to_date",
    "to_jsonb",
    "to_number",
];

thread_local! {
    /// Where in a statement the last error was found, from 1; 0 is nowhere.
    static POSITION: Cell<c_int> = const { Cell::new(0) };
}

/// What an accepted expression is.
pub struct Expression {
    /// Its type.
    pub type_oid: u32,
    /// The aliases of the relations whose columns it uses.
    pub relations: BTreeSet<String>,
}

/// Looks at an expression over relations, given as the content of a FROM clause that our own code made. Names are
/// looked up on the current path. An error is raised if it is not acceptable.
pub fn analyze(expression: &str, relations: &str) -> Expression {
    // SAFETY: a query is analyzed in a transaction, and its tree lives as long as the memory of the call.
    unsafe {
        let lone = statement(&format!("{}{expression}", BEFORE[0]), BEFORE[0], expression);
        if let Some(fault) = not_one(lone) {
            refuse(
                PgSqlErrorCode::ERRCODE_SYNTAX_ERROR,
                &format!("is not one expression: {fault}"),
                HINT_ONE,
            );
        }
        // A comment at its end must not reach what follows.
        let text = format!("{}{expression}\n) FROM {relations}", BEFORE[1]);
        let whole = statement(&text, BEFORE[1], expression);
        let [raw] = whole.as_slice() else {
            refuse(PgSqlErrorCode::ERRCODE_SYNTAX_ERROR, "is not one expression", HINT_ONE)
        };
        let source = zero_terminated(&text);
        let raw = *raw;
        let query = positioned(BEFORE[1], expression, || {
            pg_sys::parse_analyze_fixedparams(raw, source.as_ptr(), ptr::null(), 0, ptr::null_mut())
        });
        look_at(query)
    }
}

const HINT_ONE: &str = "Give one expression over the columns, as quantity * unit_price.";

/// The statements of a text.
///
/// # Safety
/// The memory of the call outlives the tree.
unsafe fn statement(text: &str, before: &'static str, expression: &str) -> Vec<*mut pg_sys::RawStmt> {
    let source = zero_terminated(text);
    // SAFETY: the text ends in a zero; the parser copies what it keeps.
    let list = positioned(before, expression, || unsafe {
        pg_sys::raw_parser(source.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT)
    });
    // SAFETY: the parser returns a list of statements.
    unsafe { PgList::<pg_sys::RawStmt>::from_pg(list) }.iter_ptr().collect()
}

/// Why what was parsed is more, or less, than one expression.
///
/// # Safety
/// The statements are those of the parser.
unsafe fn not_one(statements: Vec<*mut pg_sys::RawStmt>) -> Option<&'static str> {
    // SAFETY: a node begins with its kind.
    unsafe {
        let [only] = statements.as_slice() else { return Some("it has a semicolon") };
        let only = &**only;
        if only.stmt_len != 0 {
            return Some("it has a semicolon");
        }
        if (*only.stmt).type_ != pg_sys::NodeTag::T_SelectStmt {
            return Some("it is another statement");
        }
        let select = &*only.stmt.cast::<pg_sys::SelectStmt>();
        let lists = [
            select.distinctClause,
            select.fromClause,
            select.groupClause,
            select.windowClause,
            select.valuesLists,
            select.sortClause,
            select.lockingClause,
        ];
        let nodes = [
            select.intoClause.cast(),
            select.whereClause,
            select.havingClause,
            select.limitOffset,
            select.limitCount,
            select.withClause.cast(),
            select.larg.cast::<pg_sys::Node>(),
        ];
        if lists.iter().any(|list| !list.is_null()) || nodes.iter().any(|node| !node.is_null()) {
            return Some("it has clauses of a query");
        }
        let targets = PgList::<pg_sys::ResTarget>::from_pg(select.targetList);
        let target = match (targets.len(), targets.get_ptr(0)) {
            (1, Some(target)) => &*target,
            (0, _) => return Some("it is empty"),
            _ => return Some("there are several"),
        };
        if !target.name.is_null() {
            return Some("it has a name of its own");
        }
        if (*target.val).type_ == pg_sys::NodeTag::T_ColumnRef {
            let fields = (*target.val.cast::<pg_sys::ColumnRef>()).fields;
            let stars = PgList::<pg_sys::Node>::from_pg(fields)
                .iter_ptr()
                .any(|field| (*field).type_ == pg_sys::NodeTag::T_A_Star);
            if stars {
                return Some("it is a list of columns");
            }
        }
        None
    }
}

/// What is found on the way through a query.
struct Found {
    relations: BTreeSet<String>,
    table: *mut pg_sys::List,
    fault: Option<String>,
    zone: bool,
}

/// # Safety
/// The query was analyzed just now.
unsafe fn look_at(query: *mut pg_sys::Query) -> Expression {
    // SAFETY: a query of one target over range table entries with names.
    unsafe {
        let query = &*query;
        let kind = [
            (query.hasSubLinks, "a sub-select"),
            (query.hasAggs, "an aggregate function"),
            (query.hasWindowFuncs, "a window function"),
            (query.hasTargetSRFs, "a set-returning function"),
        ];
        if let Some((_, what)) = kind.iter().find(|(has, _)| *has) {
            refuse(
                PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                &format!("has {what}"),
                "It is computed for one row at a time. Columns of other relations come by the key \"join\".",
            );
        }
        let targets = PgList::<pg_sys::TargetEntry>::from_pg(query.targetList);
        let Some(target) = targets.get_ptr(0) else {
            refuse(PgSqlErrorCode::ERRCODE_SYNTAX_ERROR, "is not one expression", HINT_ONE)
        };
        let expression = (*target).expr.cast::<pg_sys::Node>();
        let mut found = Found { relations: BTreeSet::new(), table: query.rtable, fault: None, zone: false };
        walk(expression, (&raw mut found).cast());
        if let Some(fault) = found.fault {
            let hint = if found.zone {
                "Say which zone is meant: created_at AT TIME ZONE 'Europe/Paris'. A field of days takes a column of \
                 instants as it is, by the time_zone of the source."
            } else {
                "Functions, operators and types must be PostgreSQL's own or those of the schema segmentation, and \
                 give the same for the same row at any time. What needs others can be a generated column."
            };
            refuse(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, &fault, hint);
        }
        Expression { type_oid: pg_sys::exprType(expression).to_u32(), relations: found.relations }
    }
}

/// Looks at a node and all below it; ends at the first fault.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn walk(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: called with nodes of an analyzed expression, and a Found.
    unsafe {
        if node.is_null() {
            return false;
        }
        let found = &mut *context.cast::<Found>();
        match (*node).type_ {
            pg_sys::NodeTag::T_Var => {
                let var = &*node.cast::<pg_sys::Var>();
                if var.varattno == 0 {
                    found.fault = Some("has a whole row".into());
                }
                let entries = PgList::<pg_sys::RangeTblEntry>::from_pg(found.table);
                if let Some(entry) = entries.get_ptr((var.varno as usize).wrapping_sub(1)) {
                    let name = CStr::from_ptr((*(*entry).eref).aliasname);
                    found.relations.insert(name.to_string_lossy().into_owned());
                }
            }
            pg_sys::NodeTag::T_Const => {
                let given = (*node.cast::<pg_sys::Const>()).consttype;
                if !plain(given) {
                    found.fault = Some(format!("has the type {}", type_name(given)));
                } else if zoned(given) {
                    found.zone = true;
                    found.fault = Some("has an instant that is read in the session's time zone".into());
                }
            }
            pg_sys::NodeTag::T_FuncExpr => {
                let call = &*node.cast::<pg_sys::FuncExpr>();
                look_at_arguments(call.funcid, call.args, found);
            }
            pg_sys::NodeTag::T_OpExpr => {
                let call = &*node.cast::<pg_sys::OpExpr>();
                look_at_arguments(call.opfuncid, call.args, found);
            }
            pg_sys::NodeTag::T_SQLValueFunction => {
                found.fault = Some("depends on the clock or on who asks".into());
            }
            pg_sys::NodeTag::T_CoerceToDomain | pg_sys::NodeTag::T_NextValueExpr => {
                found.fault = Some(format!("has the type {}", type_name(pg_sys::exprType(node))));
            }
            pg_sys::NodeTag::T_CoerceViaIO => {
                let arg = (*node.cast::<pg_sys::CoerceViaIO>()).arg;
                if !plain(pg_sys::exprType(node)) {
                    found.fault = Some(format!("has the type {}", type_name(pg_sys::exprType(node))));
                } else if zoned(pg_sys::exprType(arg.cast())) || zoned(pg_sys::exprType(node)) {
                    found.zone = true;
                    found.fault = Some("makes a text of an instant, or an instant of a text".into());
                }
            }
            _ => {}
        }
        found.fault.is_some()
            // The functions of a cast by text are those of its types, looked at above.
            || ((*node).type_ != pg_sys::NodeTag::T_CoerceViaIO
                && pg_sys::check_functions_in_node(node, Some(refused_function), context))
            || pg_sys::expression_tree_walker(node, Some(walk), context)
    }
}

/// Of a function that takes anything the arguments count, not the signature.
///
/// # Safety
/// The arguments are those of a call in an analyzed expression.
unsafe fn look_at_arguments(function: pg_sys::Oid, arguments: *mut pg_sys::List, found: &mut Found) {
    // SAFETY: as above; reads the catalogues.
    unsafe {
        let arguments = PgList::<pg_sys::Node>::from_pg(arguments);
        if function != pg_sys::InvalidOid
            && pg_sys::func_volatile(function) as u8 == b's'
            && arguments.iter_ptr().any(|argument| zoned(pg_sys::exprType(argument)))
        {
            found.zone = true;
            let name = owned(pg_sys::get_func_name(function));
            found.fault = Some(format!("depends on the session's time zone: {name}"));
        }
    }
}

/// Whether a function is not to be in an expression.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn refused_function(function: pg_sys::Oid, context: *mut c_void) -> bool {
    // SAFETY: called with a function of an expression, and a Found; reads the catalogues.
    unsafe {
        let found = &mut *context.cast::<Found>();
        let name = owned(pg_sys::get_func_name(function));
        let schema = pg_sys::get_func_namespace(function);
        let home = owned(pg_sys::get_namespace_name(schema));
        let own = schema == pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE);
        if !own && home != "segmentation" {
            found.fault = Some(format!("has the function {home}.{name}"));
            return true;
        }
        match pg_sys::func_volatile(function) as u8 {
            b'i' => false,
            b's' => {
                let mut types: *mut pg_sys::Oid = ptr::null_mut();
                let mut count: c_int = 0;
                let result = pg_sys::get_func_signature(function, &raw mut types, &raw mut count);
                let arguments = (0..count.max(0) as usize).map(|place| *types.add(place));
                if arguments.chain([result]).any(zoned) {
                    found.zone =
                        !["now", "transaction_timestamp", "statement_timestamp"].contains(&name.as_str());
                    found.fault = Some(if found.zone {
                        format!("depends on the session's time zone: {name}")
                    } else {
                        format!("depends on the clock: {name}")
                    });
                } else if own && !STABLE.contains(&name.as_str()) {
                    found.fault =
                        Some(format!("has the function {name}, which need not always give the same"));
                }
                found.fault.is_some()
            }
            _ => {
                found.fault = Some(format!("has the volatile function {name}"));
                true
            }
        }
    }
}

/// Whether no code of anybody's is run to read a type from a text: a base type or an enum, or an array of these. Domains
/// and ranges may have checks and functions of their owner.
///
/// # Safety
/// Within a transaction.
unsafe fn plain(given: pg_sys::Oid) -> bool {
    // SAFETY: reads the catalogues.
    unsafe {
        let element = pg_sys::get_element_type(given);
        let read = if element == pg_sys::InvalidOid { given } else { element };
        [b'b', b'e', b'p'].contains(&(pg_sys::get_typtype(read) as u8))
    }
}

/// Whether a type has instants, which are written and read in the session's time zone.
fn zoned(given: pg_sys::Oid) -> bool {
    [pg_sys::TIMESTAMPTZOID, pg_sys::TIMETZOID, pg_sys::TSTZRANGEOID, pg_sys::TIMESTAMPTZARRAYOID]
        .contains(&given)
}

/// Runs the parser. An error of its gets the place in the expression as its detail.
fn positioned<R>(before: &'static str, expression: &str, parse: impl FnOnce() -> R) -> R {
    POSITION.set(0);
    let mut callback = pg_sys::ErrorContextCallback {
        // SAFETY: a process of the server has one thread.
        previous: unsafe { pg_sys::error_context_stack },
        callback: Some(note_position),
        arg: ptr::null_mut(),
    };
    let previous = callback.previous;
    // SAFETY: taken off below, on whatever way out.
    unsafe { pg_sys::error_context_stack = &raw mut callback };
    PgTryBuilder::new(AssertUnwindSafe(parse))
        .catch_others(|error: CaughtError| {
            let (CaughtError::PostgresError(report) | CaughtError::ErrorReport(report)) = &error else {
                error.rethrow()
            };
            let code = report.sql_error_code();
            // Cancelled, no memory, no right, a bug: not about the expression.
            if !["42", "22", "0A"].iter().any(|class| sqlstate(code).starts_with(class)) {
                error.rethrow()
            }
            let place = POSITION.get() - before.chars().count() as c_int;
            let mut told = ErrorReport::new(code, report.message().to_owned(), "segmentation");
            if (1..=expression.chars().count() as c_int).contains(&place) {
                told = told.set_detail(format!("At character {place} of \"{expression}\"."));
            }
            if let Some(hint) = report.hint() {
                told = told.set_hint(hint.to_owned());
            }
            told.report(PgLogLevel::ERROR);
            unreachable!("an ERROR report unwinds")
        })
        // SAFETY: as above.
        .finally(move || unsafe { pg_sys::error_context_stack = previous })
        .execute()
}

/// The five letters of a code.
fn sqlstate(code: PgSqlErrorCode) -> String {
    // SAFETY: it writes five letters into a place of PostgreSQL's own.
    unsafe { owned(pg_sys::unpack_sql_state(code as c_int)) }
}

/// Called by PostgreSQL where an error is about to be raised.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn note_position(_context: *mut c_void) {
    // SAFETY: an error is under way.
    POSITION.set(unsafe { pg_sys::geterrposition() });
}

fn refuse(code: PgSqlErrorCode, message: &str, hint: &str) -> ! {
    ErrorReport::new(code, message.to_owned(), "segmentation")
        .set_hint(hint.to_owned())
        .report(PgLogLevel::ERROR);
    unreachable!("an ERROR report unwinds")
}

fn zero_terminated(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

fn type_name(given: pg_sys::Oid) -> String {
    // SAFETY: reads the catalogue.
    unsafe { owned(pg_sys::format_type_be(given)) }
}

/// # Safety
/// Null, or a string of PostgreSQL's.
pub(super) unsafe fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: it ends in a zero.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
