//! What a carrier gets on its standard input: a script, and what follows once it runs.
//!
//! Some shells read ahead. What follows is held back until the script has said its first word: by
//! then it was read whole, and what comes is for the program that it starts.

use std::{
    fs::File,
    io::{self, Read as _, Write},
};

use crossbeam_channel::Receiver;

/// Holds what is written.
pub(in crate::transport) struct Input {
    script: String,
    then: Option<Then>,
}

/// Holds what follows a script.
pub(in crate::transport) enum Then {
    Text(String),
    /// So many bytes of a file.
    File(File, u64),
}

impl From<String> for Input {
    fn from(script: String) -> Self {
        Self { script, then: None }
    }
}

impl Input {
    pub(in crate::transport) fn new(script: String, then: Then) -> Self {
        Self { script, then: Some(then) }
    }

    /// Tells whether something is held back.
    pub(in crate::transport) fn holds_back(&self) -> bool {
        self.then.is_some()
    }

    /// Writes the script, what follows on the first word, and whatever else is said; keeps the other
    /// end open until somebody lets it go.
    pub(in crate::transport) fn write(self, mut to: impl Write, go: &Receiver<String>) {
        let written = to.write_all(self.script.as_bytes()).and_then(|()| to.flush());
        if written.is_err() {
            return;
        }
        if let Some(then) = self.then
            && (go.recv().is_err() || then.write(&mut to).is_err())
        {
            return;
        }
        while let Ok(more) = go.recv() {
            if to.write_all(more.as_bytes()).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    }
}

impl Then {
    fn write(self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Text(text) => to.write_all(text.as_bytes())?,
            Self::File(file, size) => {
                io::copy(&mut file.take(size), to)?;
            }
        }
        to.flush()
    }
}
