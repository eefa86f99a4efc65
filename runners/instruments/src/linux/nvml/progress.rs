//! What was read so far, and which call is under way: shared by who asks and who watches.
//!
//! A call into a wedged driver never returns, and no thread can be made to. So the watcher waits
//! for the end or for a span in which no further call began, and takes what is there.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value, json};

#[derive(Default)]
pub(super) struct Progress {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    document: Map<String, Value>,
    call: &'static str,
    calls: u64,
    ended: bool,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a call begins.
    pub(super) fn calling(&self, name: &'static str) {
        let mut state = self.state();
        state.call = name;
        state.calls += 1;
    }

    /// Adds a part of the document.
    pub(super) fn put(&self, key: &str, value: Value) {
        self.state().document.insert(key.to_owned(), value);
    }

    /// Adds to a table of the document.
    pub(super) fn put_in(&self, table: &str, key: &str, value: Value) {
        let mut state = self.state();
        let table = state.document.entry(table).or_insert_with(|| json!({}));
        if let Some(table) = table.as_object_mut() {
            table.insert(key.to_owned(), value);
        }
    }

    /// Adds to an element of a list of the document; the list grows as needed.
    pub(super) fn put_at(&self, list: &str, index: usize, key: &str, value: Value) {
        let mut state = self.state();
        let list = state.document.entry(list).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            while list.len() <= index {
                list.push(json!({}));
            }
            if let Some(element) = list[index].as_object_mut() {
                element.insert(key.to_owned(), value);
            }
        }
    }

    /// Notes that nothing more will come.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.ended.notify_all();
    }

    /// Waits until all is read or a call lasts longer than the limit (less than twice as long), and
    /// takes the document, which then names that call under `hung`.
    pub(super) fn watch(&self, limit: Duration) -> Value {
        let mut state = self.state();
        loop {
            let before = state.calls;
            let waited = self.ended.wait_timeout_while(state, limit, |state| !state.ended);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !state.ended && state.calls == before {
                let call = state.call;
                state.document.insert("hung".to_owned(), json!(call));
            } else if !state.ended {
                continue;
            }
            return Value::Object(std::mem::take(&mut state.document));
        }
    }
}
