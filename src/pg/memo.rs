//! What was made of some arguments, kept with these arguments.
//!
//! Three places keep such values: a call site (`CallSite::memo`), which has the one of its last call; a
//! value that is itself remembered ([`Memo::of`]); and the transaction, which takes over the last few values of
//! call sites that ended. The last is for functions in SQL that PostgreSQL does not inline: each of their calls
//! makes the call sites within anew, and would read a model of megabytes for every customer.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::panic::Location;

use pgrx::{pg_sys, varlena};

use super::jsonb::JsonbArg;
use super::value::{StoredArg, Value, varlena_bytes};

/// Values of ended call sites that a transaction keeps, at most.
const KEPT: usize = 8;
/// Bytes of the arguments that they were made of, at most, but for the last one.
const KEPT_BYTES: usize = 256 << 20;

/// Something by which a value is remembered: an argument, or what else its making depends on.
#[derive(Clone, Copy)]
pub struct Key<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Null,
    Argument(pg_sys::Datum, PhantomData<&'a ()>),
    Bytes(&'a [u8]),
}

/// An argument of a variable length that can be a [`Key`].
pub trait Argument<'a> {
    /// Its datum; `None` for NULL.
    #[doc(hidden)]
    fn datum(self) -> Option<pg_sys::Datum>;
}

impl<'a> Argument<'a> for JsonbArg<'a> {
    fn datum(self) -> Option<pg_sys::Datum> {
        Some(JsonbArg::datum(self))
    }
}

impl<'a> Argument<'a> for StoredArg<'a> {
    fn datum(self) -> Option<pg_sys::Datum> {
        Some(StoredArg::datum(self))
    }
}

impl<'a> Argument<'a> for Value {
    fn datum(self) -> Option<pg_sys::Datum> {
        Some(Value::datum(self))
    }
}

impl<'a, T: Argument<'a>> Argument<'a> for Option<T> {
    fn datum(self) -> Option<pg_sys::Datum> {
        self.and_then(T::datum)
    }
}

impl<'a> Key<'a> {
    /// An argument of the call, of a variable length. NULL is a key of its own, unlike any value.
    #[inline]
    pub fn of(argument: impl Argument<'a>) -> Self {
        Key(argument.datum().map_or(Source::Null, |datum| Source::Argument(datum, PhantomData)))
    }

    /// Something else that the value depends on.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        Key(Source::Bytes(bytes))
    }

    /// Whether it is this argument; `None` is NULL.
    pub(super) fn is_argument(self, datum: Option<pg_sys::Datum>) -> bool {
        match (self.0, datum) {
            (Source::Null, None) => true,
            (Source::Argument(own, _), Some(datum)) => own == datum,
            _ => false,
        }
    }

    /// What it is compared by.
    #[inline]
    fn identity(self) -> (Form, &'a [u8]) {
        match self.0 {
            Source::Null => (Form::Null, &[]),
            Source::Bytes(bytes) => (Form::Plain, bytes),
            // SAFETY: an argument of a variable length by its SQL declaration, which lives as long as the call.
            Source::Argument(datum, _) => unsafe { identity(datum) },
        }
    }
}

/// In which form an argument came. Only equal forms are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Null,
    /// A pointer into a TOAST table, with relation, value id and sizes. A stored value never changes, and its id
    /// is not given again within a transaction: the same pointer is the same value, and nothing is fetched.
    Stored,
    Compressed,
    Plain,
}

/// What a varlena is compared by: where it is stored, or its bytes. Where it lies in memory proves nothing, so
/// pointers to expanded objects and other memory are followed.
///
/// # Safety
/// The datum is a non-null varlena that outlives the result.
#[inline]
unsafe fn identity<'a>(datum: pg_sys::Datum) -> (Form, &'a [u8]) {
    let pointer = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: by the caller's promise; a varlena says in its header which form and size it has.
    unsafe {
        let whole = || std::slice::from_raw_parts(pointer.cast::<u8>(), varlena::varsize_any(pointer));
        if varlena::varatt_is_1b_e(pointer) {
            let tag = pg_sys::vartag_external::Type::from(varlena::vartag_1b_e(pointer));
            if tag == pg_sys::vartag_external::VARTAG_ONDISK {
                return (Form::Stored, whole());
            }
        } else if varlena::varatt_is_4b_c(pointer) {
            return (Form::Compressed, whole());
        }
        (Form::Plain, varlena_bytes(datum))
    }
}

/// A value with the keys it was made of; empty at first.
pub struct Memo<T>(Option<Held<T>>);

struct Held<T> {
    keys: Vec<(Form, Vec<u8>)>,
    value: T,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Memo(None)
    }
}

impl<T> Memo<T> {
    /// The value of these keys: the one that is held if it is theirs, else what `make` makes.
    ///
    /// # Errors
    /// What `make` says; what was held stays.
    pub fn of<E>(&mut self, keys: &[Key], make: impl FnOnce() -> Result<T, E>) -> Result<&mut T, E> {
        if !self.is(keys) {
            *self = Self::made(keys, make)?;
        }
        Ok(self.held())
    }

    pub(super) fn made<E>(keys: &[Key], make: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        let value = make()?;
        let owned = |key: &Key| {
            let (form, bytes) = key.identity();
            (form, bytes.to_vec())
        };
        Ok(Memo(Some(Held { keys: keys.iter().map(owned).collect(), value })))
    }

    /// Bytes of the keys, fetched or not: about what the value takes.
    fn weight(&self) -> usize {
        let weight = |(form, bytes): &(Form, Vec<u8>)| match (form, bytes.get(2..6)) {
            // A pointer begins, after its tag, with the size of the value.
            (Form::Stored, Some(&[a, b, c, d])) => u32::from_ne_bytes([a, b, c, d]) as usize,
            _ => bytes.len(),
        };
        self.0.as_ref().map_or(0, |held| held.keys.iter().map(weight).sum())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it holds the value of these keys. Slices compare their lengths first.
    pub(super) fn is(&self, keys: &[Key]) -> bool {
        let same = |(held, key): (&(Form, Vec<u8>), &Key)| {
            let (form, bytes) = key.identity();
            held.0 == form && held.1 == bytes
        };
        self.0
            .as_ref()
            .is_some_and(|held| held.keys.len() == keys.len() && held.keys.iter().zip(keys).all(same))
    }

    /// What it holds, once it was filled.
    #[inline]
    pub(super) fn held(&mut self) -> &mut T {
        match &mut self.0 {
            Some(held) => &mut held.value,
            None => pgrx::error!("nothing is remembered"),
        }
    }
}

// What a transaction keeps

/// A memo of no call site, and the place in the source that made it: what was made elsewhere of the same keys
/// may be something else.
struct Kept {
    made_at: &'static Location<'static>,
    weight: usize,
    memo: Box<dyn Any>,
}

#[derive(Default)]
struct Store {
    /// Within a transaction that empties the store when it ends.
    open: bool,
    memos: VecDeque<Kept>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

/// Opens the store for the transaction under way.
pub(super) fn open() {
    if STORE.try_with(|store| std::mem::replace(&mut store.borrow_mut().open, true)) != Ok(false) {
        return;
    }
    // SAFETY: a function is called within a transaction; the callback lives in the memory whose end it tells.
    unsafe {
        let context = pg_sys::TopTransactionContext;
        let callback = pg_sys::MemoryContextAllocZero(context, size_of::<pg_sys::MemoryContextCallback>())
            .cast::<pg_sys::MemoryContextCallback>();
        (*callback).func = Some(close);
        pg_sys::MemoryContextRegisterResetCallback(context, callback);
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn close(_arg: *mut std::ffi::c_void) {
    // Dropped outside the borrow. After the end of the process's storage there is nothing to empty.
    drop(STORE.try_with(|store| store.take()));
}

/// Takes a memo over from a call site, or from what a function borrowed.
pub(super) fn give<T: 'static>(made_at: &'static Location<'static>, memo: Memo<T>) {
    if memo.is_empty() {
        return;
    }
    // What has to go is dropped outside the borrow.
    let gone = STORE.try_with(|store| {
        let mut store = store.borrow_mut();
        let mut gone = Vec::new();
        if store.open {
            store.memos.push_back(Kept { made_at, weight: memo.weight(), memo: Box::new(memo) });
            let heavy = |memos: &VecDeque<Kept>| {
                memos.len() > KEPT || memos.iter().map(|kept| kept.weight).sum::<usize>() > KEPT_BYTES
            };
            while store.memos.len() > 1 && heavy(&store.memos) {
                gone.extend(store.memos.pop_front());
            }
        }
        gone
    });
    drop(gone);
}

/// The memo of these keys, if the transaction has one.
pub(super) fn take<T: 'static>(made_at: &'static Location<'static>, keys: &[Key]) -> Option<Memo<T>> {
    let found = STORE.try_with(|store| {
        let mut store = store.borrow_mut();
        let at = store.memos.iter().rposition(|kept| {
            kept.made_at == made_at && kept.memo.downcast_ref::<Memo<T>>().is_some_and(|memo| memo.is(keys))
        })?;
        store.memos.remove(at)
    });
    let kept = found.ok().flatten()?;
    kept.memo.downcast().ok().map(|memo| *memo)
}

/// A value that a function uses during one call, and that the transaction keeps for the next.
pub struct Borrowed<T: 'static> {
    made_at: &'static Location<'static>,
    memo: Memo<T>,
}

/// The value of these keys, for a function that returns a set: its call site is taken by the rows that wait.
///
/// # Errors
/// What `make` says.
#[track_caller]
pub fn borrow<T: 'static, E>(keys: &[Key], make: impl FnOnce() -> Result<T, E>) -> Result<Borrowed<T>, E> {
    let made_at = Location::caller();
    open();
    let memo = match take(made_at, keys) {
        Some(memo) => memo,
        None => Memo::made(keys, make)?,
    };
    Ok(Borrowed { made_at, memo })
}

impl<T> std::ops::Deref for Borrowed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.memo.0 {
            Some(held) => &held.value,
            None => pgrx::error!("nothing is remembered"),
        }
    }
}

impl<T> Drop for Borrowed<T> {
    fn drop(&mut self) {
        give(self.made_at, std::mem::take(&mut self.memo));
    }
}
