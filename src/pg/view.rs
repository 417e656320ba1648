//! What a view is made of: its tables, by which columns they are joined, and which of its columns are columns of theirs.
//!
//! For triggers on the tables of a view: a change of a row of a table is a change of the customers that the view, read
//! with that row alone in the place of its table, would give. That holds where each row of the view comes of one row of
//! each of its tables, or of rows that are one customer's; what else a view can be is said in words, and refused. The
//! filter is not looked at but for what it must not depend on: a row that it lets in, or out, has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, c_void};
use std::ops::Range;

use pgrx::{PgList, pg_sys};

/// A column of a table: the place of the table among those of the view, and its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// The place of the table, from 0.
    pub table: usize,
    /// The name of the column.
    pub name: String,
}

/// A view over tables.
pub struct View {
    /// Alias and table, each alias once.
    pub tables: Vec<(String, u32)>,
    /// Columns of two tables that are equal in every row of the view, or where it has both.
    pub equal: Vec<(Column, Column)>,
    /// The tables whose rows the view can do without: those of an outer join.
    pub optional: BTreeSet<usize>,
    /// Which columns of the view are columns of its tables as they are.
    pub columns: BTreeMap<String, Column>,
}

/// Functions of PostgreSQL's own whose result moves with the clock, or with who asks, though no row changes.
const MOVING: [&str; 14] = [
    "age",
    "current_database",
    "current_query",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_user",
    "getpgusername",
    "now",
    "pg_postmaster_start_time",
    "session_user",
    "statement_timestamp",
    "transaction_timestamp",
    "txid_current_snapshot",
];

/// Looks into a view; an error in words, as the end of "the view ...", says why its tables cannot stand for it.
pub fn tables_of(view: pg_sys::Oid) -> Result<View, String> {
    // SAFETY: a view that is there, under a lock until the end of the transaction; its query lives in the relation
    // cache and is copied before it is looked at.
    unsafe {
        if pg_sys::get_rel_relkind(view) as u8 != pg_sys::RELKIND_VIEW {
            return Err("is not there".into());
        }
        let relation = pg_sys::relation_open(view, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        let query = pg_sys::copyObjectImpl(pg_sys::get_view_query(relation).cast()).cast::<pg_sys::Query>();
        pg_sys::relation_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
        Reading::of(view, query)
    }
}

/// What is gathered on the way through a query.
struct Reading {
    query: *mut pg_sys::Query,
    /// Of each entry of the range table that is read: the place of its table.
    places: BTreeMap<usize, usize>,
    tables: Vec<(String, u32)>,
    equal: BTreeSet<(Column, Column)>,
    optional: BTreeSet<usize>,
    fault: Option<String>,
}

impl Reading {
    /// # Safety
    /// The view and its query, ours to look at.
    unsafe fn of(view: pg_sys::Oid, query: *mut pg_sys::Query) -> Result<View, String> {
        // SAFETY: as above.
        unsafe {
            let mut reading = Reading {
                query,
                places: BTreeMap::new(),
                tables: Vec::new(),
                equal: BTreeSet::new(),
                optional: BTreeSet::new(),
                fault: None,
            };
            let shape = [
                (!(*query).setOperations.is_null(), "puts several queries together"),
                (!(*query).cteList.is_null(), "has a WITH clause"),
                (
                    !(*query).limitCount.is_null() || !(*query).limitOffset.is_null(),
                    "has a LIMIT, so that a row moves others",
                ),
                (!(*query).groupingSets.is_null(), "has grouping sets"),
                ((*query).hasDistinctOn, "has DISTINCT ON, so that a row moves others"),
                ((*query).hasSubLinks, "has a sub-select"),
                ((*query).hasWindowFuncs, "has a window function, so that a row moves others"),
                ((*query).hasTargetSRFs, "has a set-returning function"),
            ];
            if let Some((_, fault)) = shape.iter().find(|(has, _)| *has) {
                return Err((*fault).into());
            }
            reading.from((*query).jointree.cast());
            let parts = [(*query).targetList.cast(), (*query).jointree.cast(), (*query).havingQual];
            for part in parts {
                if reading.fault.is_none() && !part.is_null() {
                    moves(part, (&raw mut reading).cast());
                }
            }
            if let Some(fault) = reading.fault {
                return Err(fault);
            }
            let mut columns = BTreeMap::new();
            for target in PgList::<pg_sys::TargetEntry>::from_pg((*query).targetList).iter_ptr() {
                // Its name is that of the view now; the query keeps those from before ALTER VIEW ... RENAME COLUMN.
                let name = pg_sys::get_attname(view, (*target).resno, true);
                if (*target).resjunk || name.is_null() {
                    continue;
                }
                if let Some(column) = reading.column((*target).expr.cast()) {
                    columns.insert(super::expression::owned(name), column);
                }
            }
            Ok(View {
                tables: reading.tables,
                equal: reading.equal.into_iter().collect(),
                optional: reading.optional,
                columns,
            })
        }
    }

    /// Takes the tables of a FROM clause, and what they are joined by.
    ///
    /// # Safety
    /// A node of the jointree.
    unsafe fn from(&mut self, node: *mut pg_sys::Node) {
        // SAFETY: as above.
        unsafe {
            if node.is_null() || self.fault.is_some() {
                return;
            }
            match (*node).type_ {
                pg_sys::NodeTag::T_FromExpr => {
                    let from = &*node.cast::<pg_sys::FromExpr>();
                    for item in PgList::<pg_sys::Node>::from_pg(from.fromlist).iter_ptr() {
                        self.from(item);
                    }
                    self.conditions(from.quals, None);
                }
                pg_sys::NodeTag::T_JoinExpr => {
                    let join = &*node.cast::<pg_sys::JoinExpr>();
                    let left = self.tables.len();
                    self.from(join.larg);
                    let right = self.tables.len();
                    self.from(join.rarg);
                    let optional = match join.jointype {
                        pg_sys::JoinType::JOIN_INNER => 0..0,
                        pg_sys::JoinType::JOIN_LEFT => right..self.tables.len(),
                        pg_sys::JoinType::JOIN_RIGHT => left..right,
                        _ => left..self.tables.len(),
                    };
                    // What an outer join asks of the other side alone leaves no row out.
                    self.conditions(join.quals, (!optional.is_empty()).then_some(&optional));
                    self.optional.extend(optional);
                }
                pg_sys::NodeTag::T_RangeTblRef => {
                    self.table((*node.cast::<pg_sys::RangeTblRef>()).rtindex as usize)
                }
                _ => self.fault = Some("reads something that is no table".into()),
            }
        }
    }

    /// # Safety
    /// A place of the range table.
    unsafe fn table(&mut self, place: usize) {
        // SAFETY: as above; reads the catalogues.
        unsafe {
            let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*self.query).rtable);
            let Some(entry) = entries.get_ptr(place.wrapping_sub(1)) else { return };
            if (*entry).rtekind != pg_sys::RTEKind::RTE_RELATION {
                self.fault = Some("reads something that is no table".into());
                return;
            }
            if !(*entry).tablesample.is_null() {
                self.fault = Some("reads a sample".into());
                return;
            }
            let mut alias = CStr::from_ptr((*(*entry).eref).aliasname).to_string_lossy().into_owned();
            while self.tables.iter().any(|(taken, _)| *taken == alias) {
                // Short enough for a name even where the alias is as long as one may be.
                alias = format!("{}_{place}", alias.chars().take(50).collect::<String>());
            }
            self.places.insert(place, self.tables.len());
            self.tables.push((alias, (*entry).relid.to_u32()));
        }
    }

    /// Takes the equalities of two columns among conditions that all must hold; with `of`, those of these tables.
    ///
    /// # Safety
    /// A condition, or null.
    unsafe fn conditions(&mut self, node: *mut pg_sys::Node, of: Option<&Range<usize>>) {
        // SAFETY: as above; reads the catalogues.
        unsafe {
            if node.is_null() {
                return;
            }
            match (*node).type_ {
                pg_sys::NodeTag::T_List => {
                    for item in PgList::<pg_sys::Node>::from_pg(node.cast()).iter_ptr() {
                        self.conditions(item, of);
                    }
                }
                pg_sys::NodeTag::T_BoolExpr => {
                    let all = &*node.cast::<pg_sys::BoolExpr>();
                    if all.boolop == pg_sys::BoolExprType::AND_EXPR {
                        self.conditions(all.args.cast(), of);
                    }
                }
                pg_sys::NodeTag::T_OpExpr => {
                    let equality = &*node.cast::<pg_sys::OpExpr>();
                    let own = pg_sys::get_func_namespace(equality.opfuncid)
                        == pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE);
                    let name = super::expression::owned(pg_sys::get_opname(equality.opno));
                    let sides = PgList::<pg_sys::Node>::from_pg(equality.args);
                    if let (true, "=", Some(left), Some(right)) =
                        (own, name.as_str(), sides.get_ptr(0), sides.get_ptr(1))
                        && let (Some(left), Some(right)) = (self.column(left), self.column(right))
                        && left.table != right.table
                        && of.is_none_or(|of| of.contains(&left.table) || of.contains(&right.table))
                    {
                        self.equal.insert((left.clone(), right.clone()));
                        self.equal.insert((right, left));
                    }
                }
                _ => {}
            }
        }
    }

    /// The column of a table that an expression is, if it is one as it is.
    ///
    /// # Safety
    /// An expression of the query.
    unsafe fn column(&self, node: *mut pg_sys::Node) -> Option<Column> {
        // SAFETY: as above; reads the catalogues.
        unsafe {
            let mut node = pg_sys::strip_implicit_coercions(node);
            let entries = PgList::<pg_sys::RangeTblEntry>::from_pg((*self.query).rtable);
            let (var, table) = loop {
                if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_Var {
                    return None;
                }
                let var = &*node.cast::<pg_sys::Var>();
                if var.varattno <= 0 || var.varlevelsup != 0 {
                    return None;
                }
                if let Some(table) = self.places.get(&(var.varno as usize)) {
                    break (var, *table);
                }
                // A column of a join is that of one side, or neither's; one by which is grouped stands for what it was.
                let entry = entries.get_ptr((var.varno as usize).wrapping_sub(1))?;
                let stands_for = PgList::<pg_sys::Node>::from_pg(stands_for(entry)?);
                node = pg_sys::strip_implicit_coercions(stands_for.get_ptr(var.varattno as usize - 1)?);
            };
            let name = pg_sys::get_attname(pg_sys::Oid::from(self.tables[table].1), var.varattno, true);
            (!name.is_null()).then(|| Column { table, name: super::expression::owned(name) })
        }
    }
}

/// What the columns of an entry stand for that is no table.
///
/// # Safety
/// An entry of a range table.
unsafe fn stands_for(entry: *mut pg_sys::RangeTblEntry) -> Option<*mut pg_sys::List> {
    // SAFETY: as above.
    unsafe {
        match (*entry).rtekind {
            pg_sys::RTEKind::RTE_JOIN => Some((*entry).joinaliasvars),
            // From PostgreSQL 18 on.
            #[cfg(feature = "pg18")]
            pg_sys::RTEKind::RTE_GROUP => Some((*entry).groupexprs),
            _ => None,
        }
    }
}

/// Whether an expression moves though no row does; ends at the first.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn moves(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: called with nodes of a view's query, and a Reading.
    unsafe {
        if node.is_null() {
            return false;
        }
        let reading = &mut *context.cast::<Reading>();
        match (*node).type_ {
            pg_sys::NodeTag::T_SQLValueFunction => {
                reading.fault = Some("depends on the clock or on who asks".into());
            }
            pg_sys::NodeTag::T_NextValueExpr => reading.fault = Some("draws from a sequence".into()),
            // Its places are no expressions.
            pg_sys::NodeTag::T_RangeTblRef => return false,
            _ => {}
        }
        reading.fault.is_some()
            || pg_sys::check_functions_in_node(node, Some(moving_function), context)
            || pg_sys::expression_tree_walker(node, Some(moves), context)
    }
}

/// Whether the result of a function can change though its arguments do not.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn moving_function(function: pg_sys::Oid, context: *mut c_void) -> bool {
    // SAFETY: called with a function of a query, and a Reading; reads the catalogues.
    unsafe {
        let reading = &mut *context.cast::<Reading>();
        let name = super::expression::owned(pg_sys::get_func_name(function));
        let own = pg_sys::get_func_namespace(function) == pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE);
        match pg_sys::func_volatile(function) as u8 {
            b'i' => {}
            // What reads settings of how values are written: those of the refresh are always the same.
            b's' if own && !MOVING.contains(&name.as_str()) => {}
            _ => {
                reading.fault = Some(format!("has the function {name}, which need not always give the same"))
            }
        }
        reading.fault.is_some()
    }
}
