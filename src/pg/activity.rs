//! What a long call is doing, while it runs: for `pg_stat_activity`, which shows it to other sessions without a commit,
//! and for itself, with the time that each step took.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::time::Instant;

use pgrx::pg_sys;

/// A call has some dozens of steps; whoever begins more is not remembered.
const MOST_STEPS: usize = 1000;

/// What this session does, and the steps of it so far.
#[derive(Default)]
struct Work {
    title: Option<String>,
    ended: Vec<(String, f64)>,
    open: Option<(String, Instant)>,
}

thread_local! {
    static WORK: RefCell<Work> = RefCell::default();
}

impl Work {
    fn end_step(&mut self) {
        if let Some((name, since)) = self.open.take()
            && self.ended.len() < MOST_STEPS
        {
            self.ended.push((name, since.elapsed().as_secs_f64()));
        }
    }
}

/// Begins something that has steps, and forgets what was before. Without a title it is over.
pub fn begin(title: Option<&str>) {
    WORK.replace(Work { title: title.map(str::to_owned), ..Work::default() });
    show(title);
}

/// What was begun has failed. An error is shown by PostgreSQL itself.
pub(super) fn forget() {
    WORK.with(|work| {
        if let Ok(mut work) = work.try_borrow_mut() {
            *work = Work::default();
        }
    });
}

/// Begins a step, and ends the one before. Nothing, if nothing was begun.
pub fn step(name: &str) {
    let note = WORK.with_borrow_mut(|work| {
        work.end_step();
        let title = work.title.as_ref()?;
        work.open = Some((name.to_owned(), Instant::now()));
        Some(format!("{title}: {name}"))
    });
    if note.is_some() {
        show(note.as_deref());
    }
}

/// Ends the last step; all of them in their order, with their seconds.
pub fn take_steps() -> Vec<(String, f64)> {
    WORK.with_borrow_mut(|work| {
        work.end_step();
        std::mem::take(&mut work.ended)
    })
}

/// Shows the statement of the client with a note before it, as a comment of SQL, or again without one.
fn show(note: Option<&str>) {
    // SAFETY: the statement is of the client's message, which lives as long as it is being run, or there is none.
    let statement = unsafe {
        let statement = pg_sys::debug_query_string;
        if statement.is_null() { return } else { CStr::from_ptr(statement) }
    };
    let shown = match note {
        Some(note) => {
            let note = note.replace("*/", "* /");
            CString::new([b"/* ", note.as_bytes(), b" */ ", statement.to_bytes()].concat())
        }
        None => Ok(statement.to_owned()),
    };
    if let Ok(shown) = shown {
        // SAFETY: PostgreSQL copies what fits of a text that ends in a zero. The process runs a statement, as it did.
        unsafe { pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, shown.as_ptr()) };
    }
}
